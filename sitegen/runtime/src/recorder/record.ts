/**
 * A graph -> its plan (docs/plan-format.md): TF.js's own executor runs it on inputs that have nothing in common, and the
 * kernel calls, which must be the same each time, are the plan.
 */

import * as tf from '@tensorflow/tfjs-core';
import { written, type Plan } from '../plan/format';
import type { Tensor, TensorSpec, Tensors } from '../shared/contract';
import { readWeights } from '../weights/container';
import { loadGraph, startBackend, type Graph } from '../worker/tfjs';
import { NoPlan, Recorder, type Seen } from './calls';
import { peakOf, planOf, type Ends } from './plan';

export { NoPlan };

/** What a plan is recorded of. `inputs` have no free sizes; `ends` are tensors of the graph. */
export interface Subject {
  topology: Uint8Array;
  weights: Uint8Array;
  wasm: Uint8Array;
  inputs: TensorSpec[];
  ends: string[];
}

/** A plan as its file, the most bytes that its tensors take, and what the graph gave for some inputs. */
export interface Recording {
  plan: string;
  peak: number;
  runs: { inputs: Tensors; outputs: Tensors }[];
}

/** Throws NoPlan where the calls depend on the input. */
export async function record({ topology, weights, wasm, inputs, ends }: Subject): Promise<Recording> {
  await startBackend(wasm, true);
  const graph = loadGraph(topology, readWeights(weights));
  const runs: Recording['runs'] = [];
  const plans: Plan[] = [];
  for (const kind of FILLS) {
    const given = Object.fromEntries(inputs.map((spec) => [spec.name, filled(spec, kind)]));
    const [plan, outputs] = watched(graph, given, ends);
    plans.push(plan);
    runs.push({ inputs: given, outputs });
  }
  const texts = plans.map(written);
  if (new Set(texts).size > 1) throw new NoPlan('what it computes depends on what goes in');
  return { plan: texts[0]!, peak: peakOf(plans[0]!), runs };
}

function watched(graph: Graph, given: Tensors, ends: string[]): [Plan, Tensors] {
  const fed = Object.fromEntries(
    Object.entries(given).map(([name, t]) => [name, tf.tensor(t.data, t.shape, t.dtype)]),
  );
  const weights: Ends = Object.entries(graph.weights).map(([name, [tensor]]) => [name, seen(tensor!)]);
  const inputs: Ends = Object.entries(fed).map(([name, tensor]) => [name, seen(tensor)]);
  const ids = (of: Ends): object[] => of.map(([, { dataId }]) => dataId);
  const recorder = new Recorder(ids(weights), ids(inputs));
  const results = [recorder.watch(() => executed(graph, fed, ends))].flat();
  const outputs = Object.fromEntries(ends.map((name, i) => [name, copied(results[i]!)]));
  const plan = planOf(
    recorder,
    weights,
    inputs,
    ends.map((name, i) => [name, seen(results[i]!)]),
  );
  tf.dispose(fed);
  return [plan, outputs];
}

function executed(graph: Graph, fed: tf.NamedTensorMap, ends: string[]): tf.Tensor | tf.Tensor[] {
  try {
    return graph.execute(fed, ends);
  } catch (error) {
    if (String(error).includes('executeAsync')) {
      throw new NoPlan('it has loops or branches, or sizes that depend on what goes in');
    }
    throw error;
  }
}

function seen({ dataId, dtype, shape }: tf.Tensor): Seen {
  return { dataId, dtype: dtype as Seen['dtype'], shape };
}

function copied(tensor: tf.Tensor): Tensor {
  const { dtype, shape } = seen(tensor);
  return { dtype, shape, data: (tensor.dataSync() as Float32Array).slice() };
}

// What is as likely in a picture as in any other input; integers stay small, as they may be places in a table.
const FILLS: ((random: number) => number)[] = [() => 0, (random) => random * 255, (random) => 2 * random - 1];

function filled({ dtype, shape }: TensorSpec, fill: (random: number) => number): Tensor {
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const data = new arrays[dtype](shape.reduce((a, b) => a * b, 1));
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = fill(state / 2 ** 32);
    data[i] = dtype === 'float32' ? value : Math.abs(Math.round(value)) % 2;
  }
  return { dtype, shape, data };
}
