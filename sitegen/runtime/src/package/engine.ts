/** An engine of the pages, in a worker or in the calling thread. */

import type { Engine, EngineFiles, EngineReply, ModelConfig, RunResult } from '../shared/contract';
import { EngineWorker, Requests, type Asked, type Request } from '../shared/requests';

/** What an engine takes for its worker's own scope. */
interface Scope {
  onmessage?: (event: { data: unknown }) => void;
  postMessage: (reply: EngineReply) => void;
  location: { href: string };
  atob(text: string): string;
}

/**
 * An engine's script as a function (sitegen/export/npm/parts.py), so that it runs without a worker where there is none,
 * and nowhere needs `eval`. What tells a worker from Node and from a page are arguments, too: in the calling thread it is to
 * take itself for a worker.
 */
export type Script = (self: Scope, workerGlobalScope: unknown, importScripts: unknown) => void;

export interface Started extends Engine {
  readonly worker: boolean;
}

/** `files` is asked again where a worker cannot do it. Throws with the engine's own words. */
export async function start(
  script: Script,
  model: ModelConfig,
  files: () => Promise<EngineFiles>,
  inWorker: boolean,
): Promise<Started> {
  const worker = inWorker && typeof Worker === 'function' ? workerOf(script) : null;
  if (worker) {
    try {
      return await loaded(worker, true, model, await files());
    } catch {
      // A policy that allows no such worker is told late, by an event; and a bundler may have put something of its own
      // into the script, which workers lack. What is wrong with the model itself is told by the calling thread.
    }
  }
  return loaded(new Here(script), false, model, await files());
}

function workerOf(script: Script): EngineWorker | null {
  try {
    return new EngineWorker(`(${script.toString()})(self, self.WorkerGlobalScope, self.importScripts)`);
  } catch {
    return null;
  }
}

async function loaded(
  asked: Asked,
  worker: boolean,
  model: ModelConfig,
  files: EngineFiles,
): Promise<Started> {
  try {
    const buffers = [files.graph, files.weights, files.wasm!].map((file) => file.buffer as ArrayBuffer);
    const { name, backend } = (await asked.ask({ verb: 'load', model, files }, buffers)) as {
      name: string;
      backend: string;
    };
    return {
      way: 'wasm',
      name,
      backend,
      worker,
      run: (inputs, bare = false) => asked.ask({ verb: 'run', inputs, bare }) as Promise<RunResult>,
      dispose: () => asked.end(),
    };
  } catch (error) {
    asked.end();
    throw error;
  }
}

/** An engine in the calling thread. */
class Here implements Asked {
  private readonly requests: Requests;
  private readonly scope: Scope;

  constructor(script: Script) {
    this.scope = {
      postMessage: (reply) => this.requests.answer(reply),
      location: { href: '' },
      atob: (text) => atob(text),
    };
    this.requests = new Requests((request) => this.scope.onmessage?.({ data: request }));
    script(this.scope, class {}, () => undefined);
  }

  ask(request: Request): Promise<unknown> {
    return this.requests.ask(request);
  }

  end(): void {
    // Its memory goes with what nobody refers to any more.
    delete this.scope.onmessage;
    this.requests.fail(new Error('the engine was ended'));
  }
}
