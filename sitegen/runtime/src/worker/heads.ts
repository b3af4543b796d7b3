/** What a model's worker gives for its inputs: the outputs of its signature, or, if asked for, what the graph itself ends in. */

import type { EngineFiles, ModelConfig, RunResult, Tensors } from '../shared/contract';
import { detect } from './boxes';
import type { LoadedModel } from './serve';

/** Runs the graph: the tensors that it ends in, by name. */
export type RunGraph = (inputs: Tensors, ends: string[]) => Promise<RunResult>;

/** Of a detector, boxes are made of the graph's two heads. */
export function signed(model: ModelConfig, files: EngineFiles, run: RunGraph): LoadedModel['run'] {
  const names = model.signature.outputs.map((output) => output.name);
  const { detection } = model;
  if (!detection) return (inputs) => run(inputs, names);
  const anchors = new Float32Array(files.anchors!.slice().buffer);
  const ends = [detection.boxes, detection.scores];
  return async (inputs, bare = false) => {
    if (bare) return run(inputs, ends);
    const began = performance.now();
    const { outputs, tensors } = await run(inputs, ends);
    const heads = [outputs[detection.boxes]!.data, outputs[detection.scores]!.data] as Float32Array[];
    const found = detect(heads[0]!, heads[1]!, anchors, detection);
    const named = names.map((name) => [name, found[name.split(':')[0]!]!]);
    return { outputs: Object.fromEntries(named), milliseconds: performance.now() - began, tensors };
  };
}
