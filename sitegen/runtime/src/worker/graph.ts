/**
 * The graph engine: TF.js's own executor on its WebAssembly backend. It runs any graph that TF.js can, control flow
 * included.
 */

import '@tensorflow/tfjs-converter/dist/flags';
import * as tf from '@tensorflow/tfjs-core';
import { GraphModel, loadGraphModelSync } from '@tensorflow/tfjs-converter/dist/executor/graph_model';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { EngineFiles, ModelConfig, RunResult, Tensor, Tensors } from '../shared/contract';
import { readWeights } from '../weights/container';
import { detect } from './boxes';
import { serve, type LoadedModel } from './serve';

type Graph = GraphModel<tf.io.IOHandlerSync>;

const WASM = 'backend.wasm';

async function startBackend(files: EngineFiles): Promise<string> {
  const env = tf.env();
  env.set('WASM_HAS_SIMD_SUPPORT', files.simd);
  // Threads need cross-origin isolation, which static hosts and file:// cannot give.
  env.set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  // The backend asks the platform for its binary: hand it the bytes, since nothing can be fetched on file://.
  env.platform.fetch = async () =>
    new Response(files.wasm as BodyInit, { headers: { 'Content-Type': 'application/wasm' } });
  setWasmPaths(
    {
      'tfjs-backend-wasm.wasm': WASM,
      'tfjs-backend-wasm-simd.wasm': WASM,
      'tfjs-backend-wasm-threaded-simd.wasm': WASM,
    },
    true,
  );
  // On failure TF.js answers false and goes on with another backend, or with none.
  const started = await tf.setBackend('wasm');
  if (!started || tf.getBackend() !== 'wasm')
    throw new Error('this browser cannot run the WebAssembly backend');
  return files.simd ? 'wasm-simd' : 'wasm';
}

async function load(model: ModelConfig, files: EngineFiles): Promise<LoadedModel> {
  const backend = await startBackend(files);
  const { specs, data } = readWeights(files.weights);
  const graph = loadGraphModelSync({
    load: () => ({
      modelTopology: JSON.parse(new TextDecoder().decode(files.topology)) as object,
      weightSpecs: specs,
      weightData: data,
    }),
  });
  const loaded = { name: 'graph', backend, dispose: () => graph.dispose() };
  const { detection } = model;
  if (!detection) {
    const names = model.signature.outputs.map((output) => output.name);
    return { ...loaded, run: (inputs) => run(graph, names, inputs) };
  }
  const anchors = floats(files.anchors!);
  return {
    ...loaded,
    run: async (inputs) => {
      const began = performance.now();
      const { outputs, tensors } = await run(graph, [detection.boxes, detection.scores], inputs);
      const heads = [outputs[detection.boxes]!.data, outputs[detection.scores]!.data] as Float32Array[];
      const found = detect(heads[0]!, heads[1]!, anchors, detection);
      const named = model.signature.outputs.map(({ name }) => [name, found[name.split(':')[0]!]!]);
      return { outputs: Object.fromEntries(named), milliseconds: performance.now() - began, tensors };
    },
  };
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
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
