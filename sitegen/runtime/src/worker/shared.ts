/** What TF.js's WebAssembly kernels borrow from its JavaScript backend (kernel_utils/shared.js), for numbers alone. */

import { computeStrides, makeZerosTypedArray } from '@tensorflow/tfjs-core/dist/util_base';
import { sizeOf, type Values } from './backend';
import type { DType } from '../shared/contract';

/** Texts alone are joined by this, and pages have none. */
export function concatImplCPU(): never {
  throw new Error('the engine has no texts');
}

/** start, start + step, ... before stop; empty where the step leads away from it. */
export function rangeImplCPU(start: number, stop: number, step: number, dtype: DType): Values {
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const values = makeZerosTypedArray(count, dtype) as Values;
  for (let i = 0, value = start; i < count; i++, value = values[i - 1]! + step) values[i] = value;
  return values;
}

/** The block of `size` that begins at `begin`, of a tensor of any rank; other kernels do the usual ranks. */
export function sliceImplCPU(values: Values, begin: number[], size: number[], shape: number[]): Values {
  const strides = [...computeStrides(shape), 1];
  const width = size[size.length - 1]!;
  const made = values.slice(0, sizeOf(size));
  for (let to = 0; to < made.length; to += width) {
    let [from, rest] = [begin[begin.length - 1]!, to / width];
    for (let axis = size.length - 2; axis >= 0; axis--) {
      from += (begin[axis]! + (rest % size[axis]!)) * strides[axis]!;
      rest = Math.floor(rest / size[axis]!);
    }
    made.set(values.subarray(from, from + width), to);
  }
  return made;
}
