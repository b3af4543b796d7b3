/** The page's end of an engine: it runs in a worker, so that the page stays alive while the model computes. */

import { backendOf, modelFiles, simdSupported } from '../shared/needs';
import type {
  DemoConfig,
  Engine,
  EngineConfig,
  EngineFiles,
  EngineReply,
  EngineRequest,
  FileRef,
  ModelConfig,
  RunResult,
  Tensors,
  Variant,
} from '../shared/contract';
import { loadFiles, type Progress } from './files';
import type { Transport } from './transport';
import { within } from './within';

/** What an engine is started with, as bytes. */
export interface Parts extends EngineFiles {
  script: Uint8Array;
}

type Omitted<T> = T extends unknown ? Omit<T, 'id'> : never;

/** An engine's script and binary: those of a variant where one is named. */
function engineFiles(engine: EngineConfig, variant: Variant | null): FileRef[] {
  const { script, wasm } = variant ?? { script: engine.script, wasm: backendOf(engine) };
  return wasm ? [script, wasm] : [script];
}

/** Fetches engine and model. */
export async function loadParts(
  { engine, model }: DemoConfig,
  transport: Transport,
  progress: Progress,
  variant: Variant | null,
): Promise<Parts> {
  const refs = [...modelFiles(model), ...engineFiles(engine, variant)];
  const files = await loadFiles(transport, refs, progress);
  const [graph, weights, anchors] = files.splice(0, modelFiles(model).length);
  const [script, wasm = new Uint8Array()] = files;
  return {
    script: script!,
    graph: graph!,
    weights: weights!,
    anchors: anchors ?? null,
    wasm,
    simd: simdSupported(),
  };
}

/** The same model for a variant of its engine, which is fetched. */
export async function otherParts(
  parts: Parts,
  engine: EngineConfig,
  transport: Transport,
  variant: Variant,
): Promise<Parts> {
  const [script, wasm = new Uint8Array()] = await loadFiles(transport, engineFiles(engine, variant));
  return { ...parts, script: script!, wasm };
}

/** Parts that are `lent` are copied, others go to the engine's worker; `patience` is in milliseconds. */
interface Terms {
  lent?: boolean;
  patience?: number;
}

/** Has a worker load engine and model. Throws when it cannot. */
export async function startEngine(
  model: ModelConfig,
  parts: Parts,
  { lent = false, patience }: Terms,
): Promise<Engine> {
  const { script, ...files } = parts;
  const worker = new EngineWorker(script);
  try {
    const buffers = [files.graph, files.weights, files.wasm].map((file) => file.buffer as ArrayBuffer);
    const loading = worker.ask({ verb: 'load', model, files }, lent ? [] : buffers);
    const loaded = (await (patience ? within(patience, loading, 'the engine does not start') : loading)) as {
      name: string;
      backend: string;
    };
    return {
      ...loaded,
      run: (inputs: Tensors, bare = false) => worker.ask({ verb: 'run', inputs, bare }) as Promise<RunResult>,
      dispose: () => worker.end(),
    };
  } catch (error) {
    worker.end();
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
