/**
 * The plan engine: the kernels of TF.js's WebAssembly backend, called as the plan says (docs/plan-format.md), without
 * TF.js around them.
 */

import { playing } from './playing';
import { serve } from './serve';
import { Wasm } from './wasm';

serve(
  playing(async (files) => ({
    wasm: await Wasm.start(files.wasm!),
    backend: files.simd ? 'wasm-simd' : 'wasm',
    end: () => undefined,
  })),
);
