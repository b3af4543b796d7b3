/**
 * What TF.js's kernels take from tfjs-core, and no more: names, and arithmetic on shapes. In the plan engine's script it
 * stands in for the whole of @tensorflow/tfjs-core (build.mjs), so there are no ops, no engine and no gradients.
 */

import * as array from '@tensorflow/tfjs-core/dist/ops/array_ops_util';
import * as axis from '@tensorflow/tfjs-core/dist/ops/axis_util';
import * as broadcast from '@tensorflow/tfjs-core/dist/ops/broadcast_util';
import * as concat from '@tensorflow/tfjs-core/dist/ops/concat_util';
import * as conv from '@tensorflow/tfjs-core/dist/ops/conv_util';
import { prepareAndValidate } from '@tensorflow/tfjs-core/dist/ops/gather_nd_util';
import { getImageCenter } from '@tensorflow/tfjs-core/dist/ops/rotate_util';
import { calculateShapes } from '@tensorflow/tfjs-core/dist/ops/scatter_nd_util';
import { collectGatherOpShapeInfo } from '@tensorflow/tfjs-core/dist/ops/segment_util';
import * as slice from '@tensorflow/tfjs-core/dist/ops/slice_util';
import { prepareSplitSize } from '@tensorflow/tfjs-core/dist/ops/split_util';
import * as base from '@tensorflow/tfjs-core/dist/util_base';
import type { Backend, TensorInfo } from './backend';

export * from '@tensorflow/tfjs-core/dist/kernel_names';

/** A kernel as its module declares it. */
export interface Kernel {
  kernelName: string;
  setupFunc?: (backend: Backend) => void;
  kernelFunc: (call: {
    inputs: Record<string, TensorInfo> | TensorInfo[];
    attrs: Record<string, unknown>;
    backend: Backend;
  }) => TensorInfo | TensorInfo[];
}

/** Every kernel that was registered, by name. */
export const kernels = new Map<string, Kernel>();

/** Those that no plan has are null (build.mjs). */
export function registerKernel(kernel: Kernel | null): void {
  if (kernel) kernels.set(kernel.kernelName, kernel);
}

/** Made for texts alone. */
export function tensor(): never {
  throw new Error('the engine has no texts');
}

export const util = {
  arraysEqual: base.arraysEqual,
  assert: base.assert,
  assertShapesMatch: base.assertShapesMatch,
  bytesPerElement: base.bytesPerElement,
  computeStrides: base.computeStrides,
  getTypedArrayFromDType: base.getTypedArrayFromDType,
  inferDtype: base.inferDtype,
  inferFromImplicitShape: base.inferFromImplicitShape,
  indexToLoc: base.indexToLoc,
  locToIndex: base.locToIndex,
  makeZerosTypedArray: base.makeZerosTypedArray,
  parseAxisParam: base.parseAxisParam,
  sizeFromShape: base.sizeFromShape,
};

export const backend_util = {
  assertAndGetBroadcastShape: broadcast.assertAndGetBroadcastShape,
  assertAxesAreInnerMostDims: axis.assertAxesAreInnerMostDims,
  assertParamsConsistent: concat.assertParamsConsistent,
  calculateShapes,
  computeConv2DInfo: conv.computeConv2DInfo,
  computeConv3DInfo: conv.computeConv3DInfo,
  computeDilation2DInfo: conv.computeDilation2DInfo,
  computeOutAndReduceShapes: axis.computeOutAndReduceShapes,
  computeOutShape: concat.computeOutShape,
  computePool2DInfo: conv.computePool2DInfo,
  computePool3DInfo: conv.computePool3DInfo,
  convertConv2DDataFormat: conv.convertConv2DDataFormat,
  eitherStridesOrDilationsAreOne: conv.eitherStridesOrDilationsAreOne,
  expandShapeToKeepDim: axis.expandShapeToKeepDim,
  getAxesPermutation: axis.getAxesPermutation,
  getImageCenter,
  getInnerMostAxes: axis.getInnerMostAxes,
  getPermuted: array.getPermuted,
  getReshaped: array.getReshaped,
  getReshapedPermuted: array.getReshapedPermuted,
  getSliceBeginCoords: array.getSliceBeginCoords,
  getSliceSize: array.getSliceSize,
  getUndoAxesPermutation: axis.getUndoAxesPermutation,
  prepareSplitSize,
  segment_util: { collectGatherOpShapeInfo },
};

export const broadcast_util = { assertAndGetBroadcastShape: broadcast.assertAndGetBroadcastShape };
export const gather_util = { prepareAndValidate };
export const scatter_util = { calculateShapes };
export const slice_util = {
  computeFlatOffset: slice.computeFlatOffset,
  computeOutShape: slice.computeOutShape,
  isSliceContinous: slice.isSliceContinous,
  parseSliceParams: slice.parseSliceParams,
  sliceInfo: slice.sliceInfo,
};
