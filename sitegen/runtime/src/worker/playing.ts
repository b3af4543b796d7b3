/** The plan engine, whichever build of the backend it runs on. */

import '@tensorflow/tfjs-backend-wasm/dist/register_all_kernels';
import { readPlan, type Plan } from '../plan/format';
import type { EngineFiles } from '../shared/contract';
import { openWeights, type Opened } from '../weights/container';
import { Backend } from './backend';
import { kernels } from './core';
import { signed } from './heads';
import { Player } from './player';
import type { Load } from './serve';
import type { Wasm } from './wasm';

/** A binary that was started; `end` undoes what outlives its memory. */
export interface Started {
  wasm: Wasm;
  backend: string;
  end: () => void;
}

/** An engine that plays plans on the binary that `start` gives. */
export function playing(start: (files: EngineFiles) => Promise<Started>): Load {
  return async (model, files) => {
    // Compiling takes threads of its own.
    const starting = start(files);
    let weights: Opened, plan: Plan;
    try {
      weights = openWeights(files.weights);
      plan = readPlan(files.graph, weights.specs, (kernel) => kernels.has(kernel));
    } catch (error) {
      void starting.then(({ end }) => end()).catch(() => undefined);
      throw error;
    }
    const { wasm, backend: name, end } = await starting;
    try {
      const backend = new Backend(wasm);
      for (const { setupFunc } of kernels.values()) setupFunc?.(backend);
      const player = new Player(plan, backend, weights);
      const run = signed(model, files, (inputs) => {
        const began = performance.now();
        const outputs = player.run(inputs);
        return Promise.resolve({
          outputs,
          milliseconds: performance.now() - began,
          tensors: player.buffers,
        });
      });
      // The next load starts a memory of its own.
      return { name: 'plan', backend: name, run: async (inputs, bare) => run(inputs, bare), dispose: end };
    } catch (error) {
      end();
      throw error;
    }
  };
}
