/** The page's end of an engine: it runs in a worker, so that the page stays alive while the model computes. */

import { backendOf, simdSupported } from '../shared/needs';
import type {
  DemoConfig,
  Engine,
  EngineFiles,
  ModelConfig,
  RunResult,
  Tensors,
  VariantConfig,
} from '../shared/contract';
import { loadFiles, type Progress, type Transport } from '../shared/files';
import { EngineWorker } from '../shared/requests';

/** A variant that hangs must not hang the page: milliseconds for loading, for compiling all shaders, and for a run. */
export const PATIENCE = 60_000;

/** An engine's worker, and what it is to be handed. */
export interface EngineParts {
  way: string;
  worker: EngineWorker;
  files: EngineFiles;
}

/** Fetches the page's engine, or a variant of it, with the model. Throws when a file cannot be had. */
export async function fetchEngine(
  { engine, model }: DemoConfig,
  transport: Transport,
  progress: Progress,
  variant: VariantConfig | null = null,
): Promise<EngineParts> {
  const parts = variant ?? { script: engine.script, wasm: backendOf(engine) };
  const refs = [parts.script, model.graph, model.weights, parts.wasm, model.detection?.anchors ?? null];
  const wanted = refs.filter((ref) => ref !== null);
  let worker: EngineWorker | null = null;
  const loaded = await loadFiles(transport, wanted, progress, (index, file) => {
    // The worker starts while the rest is on its way.
    if (index === 0) worker = new EngineWorker(file as BlobPart);
  }).catch((error: unknown) => {
    (worker as EngineWorker | null)?.end();
    throw error;
  });
  const [, graph, weights, wasm, anchors] = refs.map((ref) => (ref ? loaded.shift()! : null));
  const files = {
    graph: graph!,
    weights: weights!,
    anchors: anchors ?? null,
    wasm: wasm ?? null,
    simd: simdSupported(),
  };
  return { way: variant?.backend ?? 'wasm', worker: worker! as EngineWorker, files };
}

/** Has a worker load it. Throws when that fails, or takes too long. */
export async function startEngine(
  model: ModelConfig,
  { way, worker, files }: EngineParts,
  patience = Infinity,
): Promise<Engine> {
  try {
    const given = [files.graph, files.weights, ...(files.wasm ? [files.wasm] : [])];
    const buffers = given.map((file) => file.buffer as ArrayBuffer);
    const loading = worker.ask({ verb: 'load', model, files }, buffers);
    const loaded = (await within(patience, loading)) as { name: string; backend: string };
    return {
      way,
      ...loaded,
      run: (inputs: Tensors, bare = false) => worker.ask({ verb: 'run', inputs, bare }) as Promise<RunResult>,
      dispose: () => worker.end(),
    };
  } catch (error) {
    worker.end();
    throw error;
  }
}

/** Throws when it takes more milliseconds. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  if (milliseconds === Infinity) return work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it takes too long')), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
