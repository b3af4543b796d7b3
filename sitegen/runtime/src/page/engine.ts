/** The page's end of an engine: it runs in a worker, so that the page stays alive while the model computes. */

import { backendOf, modelFiles, simdSupported } from '../shared/needs';
import type {
  DemoConfig,
  Engine,
  EngineFiles,
  EngineReply,
  EngineRequest,
  RunResult,
  Tensors,
} from '../shared/contract';
import { loadFiles, type Progress } from './files';
import type { Transport } from './transport';

type Omitted<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Fetches engine and model and has the worker load them. Throws when anything of that fails. */
export async function startEngine(
  demo: DemoConfig,
  transport: Transport,
  progress: Progress,
): Promise<Engine> {
  const { engine, model } = demo;
  const refs = [engine.script, backendOf(engine), ...modelFiles(model)];
  let worker: EngineWorker | null = null;
  try {
    // The worker starts while the rest is on its way.
    const [, wasm, graph, weights, anchors] = await loadFiles(transport, refs, progress, (index, file) => {
      if (index === 0) worker = new EngineWorker(file);
    });
    const own = worker! as EngineWorker;
    const files: EngineFiles = {
      graph: graph!,
      weights: weights!,
      anchors: anchors ?? null,
      wasm: wasm!,
      simd: simdSupported(),
    };
    const buffers = [graph!, weights!, wasm!].map((file) => file.buffer as ArrayBuffer);
    const loaded = (await own.ask({ verb: 'load', model, files }, buffers)) as {
      name: string;
      backend: string;
    };
    return {
      ...loaded,
      run: (inputs: Tensors, bare = false) => own.ask({ verb: 'run', inputs, bare }) as Promise<RunResult>,
      dispose: () => own.end(),
    };
  } catch (error) {
    (worker as EngineWorker | null)?.end();
    throw error;
  }
}

class EngineWorker {
  private readonly worker: Worker;
  private readonly waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (e: Error) => void }
  >();
  private next = 0;
  private ended: Error | null = null;

  constructor(script: Uint8Array) {
    // A worker by address cannot be made on file://; one from a blob can, in every browser.
    const url = URL.createObjectURL(new Blob([script as BlobPart], { type: 'text/javascript' }));
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.worker.onmessage = (event: MessageEvent<EngineReply>) => this.answer(event.data);
    this.worker.onerror = (event) => this.fail(new Error(event.message || 'the engine stopped'));
  }

  ask(request: Omitted<EngineRequest>, transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...request, id }, [...new Set(transfer)]);
    });
  }

  end(): void {
    this.worker.terminate();
    this.fail(new Error('the engine was ended'));
  }

  private answer(reply: EngineReply): void {
    const asked = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.value);
    else asked?.reject(new Error(reply.error));
  }

  private fail(error: Error): void {
    this.ended = error;
    this.waiting.forEach(({ reject }) => reject(error));
    this.waiting.clear();
  }
}
