/** Requests to an engine, and its replies, wherever it runs. */

import type { EngineReply, EngineRequest } from './contract';

type Omitted<T> = T extends unknown ? Omit<T, 'id'> : never;

/** What an engine is asked. */
export type Request = Omitted<EngineRequest>;

/** An engine that takes requests. */
export interface Asked {
  /** What it answers; throws with its own words. Buffers that are transferred are gone. */
  ask(request: Request, transfer?: ArrayBuffer[]): Promise<unknown>;
  /** Ends it; what it was asked fails, and so does whatever it is asked from then on. */
  end(): void;
}

/** Which request a reply is of. */
export class Requests {
  private readonly waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (e: Error) => void }
  >();
  private next = 0;
  private ended: Error | null = null;

  constructor(private readonly post: (request: EngineRequest, transfer: ArrayBuffer[]) => void) {}

  ask(request: Request, transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.post({ ...request, id }, [...new Set(transfer)]);
    });
  }

  answer(reply: EngineReply): void {
    const asked = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.value);
    else asked?.reject(new Error(reply.error));
  }

  /** Whatever was asked, and will be, fails. */
  fail(error: Error): void {
    this.ended = error;
    this.waiting.forEach(({ reject }) => reject(error));
    this.waiting.clear();
  }
}

/** An engine in a worker. */
export class EngineWorker implements Asked {
  private readonly worker: Worker;
  private readonly requests: Requests;

  constructor(script: BlobPart) {
    // A worker by address cannot be made on file://; one from a blob can, in every browser.
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.requests = new Requests((request, transfer) => this.worker.postMessage(request, transfer));
    this.worker.onmessage = (event: MessageEvent<EngineReply>) => this.requests.answer(event.data);
    this.worker.onerror = (event) => this.requests.fail(new Error(event.message || 'the engine stopped'));
  }

  ask(request: Request, transfer: ArrayBuffer[] = []): Promise<unknown> {
    return this.requests.ask(request, transfer);
  }

  end(): void {
    this.worker.terminate();
    this.requests.fail(new Error('the engine was ended'));
  }
}
