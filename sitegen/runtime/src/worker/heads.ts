/** What a model's worker gives for its inputs: the outputs of its signature, whatever the graph itself ends in. */

import type { EngineFiles, ModelConfig, RunResult, Tensors } from '../shared/contract';
import { detect } from './boxes';

/** Runs the graph: the tensors that it ends in, by name. */
export type RunGraph = (inputs: Tensors, ends: string[]) => Promise<RunResult>;

/** Of a detector, boxes are made of the graph's two heads. */
export function signed(
  model: ModelConfig,
  files: EngineFiles,
  run: RunGraph,
): (inputs: Tensors) => Promise<RunResult> {
  const names = model.signature.outputs.map((output) => output.name);
  const { detection } = model;
  if (!detection) return (inputs) => run(inputs, names);
  const anchors = new Float32Array(files.anchors!.slice().buffer);
  return async (inputs) => {
    const began = performance.now();
    const { outputs, tensors } = await run(inputs, [detection.boxes, detection.scores]);
    const heads = [outputs[detection.boxes]!.data, outputs[detection.scores]!.data] as Float32Array[];
    const found = detect(heads[0]!, heads[1]!, anchors, detection);
    const named = names.map((name) => [name, found[name.split(':')[0]!]!]);
    return { outputs: Object.fromEntries(named), milliseconds: performance.now() - began, tensors };
  };
}
