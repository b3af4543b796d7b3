/** TF.js on its WebAssembly backend, and a graph in it. */

import '@tensorflow/tfjs-converter/dist/flags';
import * as tf from '@tensorflow/tfjs-core';
import { GraphModel, loadGraphModelSync } from '@tensorflow/tfjs-converter/dist/executor/graph_model';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { Weights } from '../weights/container';

export type Graph = GraphModel<tf.io.IOHandlerSync>;

const WASM = 'backend.wasm';

/** Gives the name of the backend. Throws where it does not start. */
export async function startBackend(wasm: Uint8Array, simd: boolean): Promise<string> {
  const env = tf.env();
  env.set('WASM_HAS_SIMD_SUPPORT', simd);
  // Threads need cross-origin isolation, which static hosts and file:// cannot give.
  env.set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  // The backend asks the platform for its binary: hand it the bytes, since nothing can be fetched on file://.
  env.platform.fetch = async () =>
    new Response(wasm as BodyInit, { headers: { 'Content-Type': 'application/wasm' } });
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
  return simd ? 'wasm-simd' : 'wasm';
}

/** `topology` is a GraphDef as JSON. */
export function loadGraph(topology: Uint8Array, { specs, data }: Weights): Graph {
  return loadGraphModelSync({
    load: () => ({
      modelTopology: JSON.parse(new TextDecoder().decode(topology)) as object,
      weightSpecs: specs,
      weightData: data,
    }),
  });
}
