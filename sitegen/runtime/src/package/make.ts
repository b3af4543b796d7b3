/** What a package exports: `load`, and what it is. */

import type { DemoConfig, EngineFiles, RunResult, Tensors } from '../shared/contract';
import { loadFiles } from '../shared/files';
import { backendOf, simdSupported } from '../shared/needs';
import { prove } from '../shared/proof';
import { start, type Script, type Started } from './engine';
import { carried, transportOf, type Parts } from './parts';
import type { Card, LoadedModel, LoadOptions } from './types';

/** Written by sitegen/export/npm/parts.py: the page's, whose files lie in parts. */
export interface PackageConfig {
  demo: DemoConfig;
  card: Card;
}

/** What a task's half is given to work with: a part of what its widget is given (shared/task.ts). */
export interface PackageHost {
  readonly config: DemoConfig;
  run(inputs: Tensors): Promise<RunResult>;
  file(name: string): Promise<Uint8Array>;
}

/** A task's half: called when the model is loaded, it gives what `predict` does. */
export type Prepare<Input, Options, Result> = (
  host: PackageHost,
) => Promise<(input: Input, options: Partial<Options>) => Promise<Result>>;

export interface Made<Input, Options, Result> {
  card: Card;
  load(options?: LoadOptions): Promise<LoadedModel<Input, Options, Result>>;
}

export const maker =
  <Input, Options, Result>(prepare: Prepare<Input, Options, Result>) =>
  (config: PackageConfig, parts: Parts): Made<Input, Options, Result> => ({
    card: config.card,
    load: (options = {}) => load(config.demo, parts, prepare, options),
  });

async function load<Input, Options, Result>(
  demo: DemoConfig,
  parts: Parts,
  prepare: Prepare<Input, Options, Result>,
  { worker = true }: LoadOptions,
): Promise<LoadedModel<Input, Options, Result>> {
  const transport = transportOf(parts);
  const { graph, weights, detection, proof } = demo.model;
  const files = async (): Promise<EngineFiles> => {
    const refs = [graph, weights, backendOf(demo.engine), ...(detection ? [detection.anchors] : [])];
    const loaded = await loadFiles(transport, refs);
    return {
      graph: loaded[0]!,
      weights: loaded[1]!,
      wasm: loaded[2]!,
      anchors: loaded[3] ?? null,
      simd: simdSupported(),
    };
  };
  const file = async (ref: typeof graph): Promise<Uint8Array> => (await loadFiles(transport, [ref]))[0]!;
  const script = (await carried(parts, demo.engine.script.chunks[0]![0])) as Script;
  const engine = await start(script, demo.model, files, worker);
  const run = (inputs: Tensors): Promise<RunResult> => engine.run(inputs);
  const predict = await prepared(engine, () =>
    prepare({ config: demo, run, file: (name) => file(demo.files[name]!) }),
  );
  return {
    engine: { name: engine.name, backend: engine.backend, worker: engine.worker },
    predict: async (input, options) => predict(input, options ?? {}),
    raw: async (inputs) => (await run(inputs)).outputs,
    check: async () => {
      if (!proof) throw new Error('the package has no numbers to check it by');
      const { passed, largest, lost, numbers } = await prove(engine, demo, await file(proof));
      return { passed, largest, lost, numbers };
    },
    dispose: () => engine.dispose(),
  };
}

/** An engine that nobody is going to ask is ended. */
async function prepared<T>(engine: Started, prepare: () => Promise<T>): Promise<T> {
  try {
    return await prepare();
  } catch (error) {
    engine.dispose();
    throw error;
  }
}
