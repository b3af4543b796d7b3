/**
 * The plan engine on a GPU: the same plan and weights (docs/plan-format.md), whose kernels TF.js's own engine calls on one
 * of its GPU backends. It is slower to start than WebAssembly, and its numbers are the driver's: pages use it only where
 * it was proven and measured (page/race.ts).
 */

import * as tf from '@tensorflow/tfjs-core';
import { readPlan } from '../plan/format';
import { readWeights } from '../weights/container';
import { GpuPlayer } from './gpuplayer';
import { signed } from './heads';
import { serve } from './serve';

/** A backend that has started. */
export interface Gpu {
  /** Its name, for people. */
  name: string;
  /** Why the browser has taken the device away, if it has: what is read then is no result. */
  lost(): string | null;
}

/** Answers the page's messages; `start` registers TF.js's backend `backend`. */
export function serveOn(backend: string, start: () => Promise<Gpu>): void {
  serve(async (model, files) => {
    const gpu = await start();
    // On failure TF.js answers false and goes on with another backend, or with none.
    if (!(await tf.setBackend(backend)) || tf.getBackend() !== backend) {
      throw new Error(`this browser cannot run the ${backend} backend`);
    }
    const weights = readWeights(files.weights);
    const plan = readPlan(files.graph, weights.specs, (kernel) => !!tf.getKernel(kernel, backend));
    const player = new GpuPlayer(plan, weights);
    const run = signed(model, files, async (inputs) => {
      const began = performance.now();
      const outputs = await player.run(inputs).catch((error: unknown) => {
        throw gpu.lost() === null ? error : new Error(gpu.lost()!);
      });
      if (gpu.lost() !== null) throw new Error(gpu.lost()!);
      return { outputs, milliseconds: performance.now() - began, tensors: player.buffers };
    });
    return { name: 'plan', backend: gpu.name, run, dispose: () => player.dispose() };
  });
}
