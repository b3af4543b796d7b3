/**
 * The graph engine: TF.js's own executor on its WebAssembly backend. It runs any graph that TF.js can, control flow
 * included.
 */

import * as tf from '@tensorflow/tfjs-core';
import type { EngineFiles, ModelConfig, RunResult, Tensor, Tensors } from '../shared/contract';
import { readWeights } from '../weights/container';
import { signed } from './heads';
import { serve, type LoadedModel } from './serve';
import { loadGraph, startBackend, type Graph } from './tfjs';

async function load(model: ModelConfig, files: EngineFiles): Promise<LoadedModel> {
  const backend = await startBackend(files.wasm!, files.simd);
  const graph = loadGraph(files.graph, readWeights(files.weights));
  return {
    name: 'graph',
    backend,
    run: signed(model, files, (inputs, ends) => run(graph, ends, inputs)),
    dispose: () => graph.dispose(),
  };
}

/** What the graph's tensors `names` are for some inputs. */
async function run(graph: Graph, names: string[], inputs: Tensors): Promise<RunResult> {
  const fed = Object.fromEntries(
    Object.entries(inputs).map(([name, t]) => [name, tf.tensor(t.data, t.shape, t.dtype)]),
  );
  const began = performance.now();
  let results: tf.Tensor[] = [];
  try {
    results = [await executed(graph, fed, names)].flat();
    const values = await Promise.all(results.map((result) => result.data()));
    const milliseconds = performance.now() - began;
    const outputs: Tensors = Object.fromEntries(
      names.map((name, i) => [name, detached(results[i]!, values[i]!)]),
    );
    tf.dispose([fed, results]);
    return { outputs, milliseconds, tensors: tf.memory().numTensors };
  } catch (error) {
    tf.dispose([fed, results]);
    throw error;
  }
}

const dynamic = new WeakSet<Graph>();

/** Graphs with control flow or shapes that depend on data need the slower way; TF.js says so by an error. */
async function executed(
  graph: Graph,
  fed: tf.NamedTensorMap,
  names: string[],
): Promise<tf.Tensor | tf.Tensor[]> {
  if (!dynamic.has(graph)) {
    try {
      return graph.execute(fed, names);
    } catch (error) {
      if (!String(error).includes('executeAsync')) throw error;
      dynamic.add(graph);
    }
  }
  return graph.executeAsync(fed, names);
}

/** A copy of its own: the backend's memory is no place for what outlives a run. */
function detached(result: tf.Tensor, values: Float32Array | Int32Array | Uint8Array): Tensor {
  return { dtype: result.dtype as Tensor['dtype'], shape: result.shape, data: values.slice() };
}

serve(load);
