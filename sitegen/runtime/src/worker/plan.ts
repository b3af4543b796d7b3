/**
 * The plan engine: the kernels of TF.js's WebAssembly backend, called as the plan says (docs/plan-format.md), without
 * TF.js around them.
 */

import '@tensorflow/tfjs-backend-wasm/dist/register_all_kernels';
import { readPlan } from '../plan/format';
import type { EngineFiles, ModelConfig } from '../shared/contract';
import { readWeights } from '../weights/container';
import { Backend } from './backend';
import { kernels } from './core';
import { signed } from './heads';
import { Player } from './player';
import { serve, type LoadedModel } from './serve';
import { Wasm } from './wasm';

async function load(model: ModelConfig, files: EngineFiles): Promise<LoadedModel> {
  const weights = readWeights(files.weights);
  const plan = readPlan(files.graph, weights.specs, (kernel) => kernels.has(kernel));
  const backend = new Backend(await Wasm.start(files.wasm!));
  for (const { setupFunc } of kernels.values()) setupFunc?.(backend);
  const player = new Player(plan, backend, weights);
  const run = signed(model, files, (inputs) => {
    const began = performance.now();
    const outputs = player.run(inputs);
    return Promise.resolve({ outputs, milliseconds: performance.now() - began, tensors: player.buffers });
  });
  return {
    name: 'plan',
    backend: files.simd ? 'wasm-simd' : 'wasm',
    run: async (inputs, bare) => run(inputs, bare),
    // The next load starts a memory of its own.
    dispose: () => undefined,
  };
}

serve(load);
