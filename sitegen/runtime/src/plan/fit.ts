/**
 * Shapes that kernels take for granted. TF.js's operations check them before they call a kernel; a plan calls kernels
 * itself. Most kernels work out the shape of their result from their inputs, which the engine compares with the plan's;
 * here is what would not show in it: a filter of too few channels would be read beyond its end.
 */

import { damaged, tensorOf, type Inputs, type Plan, type Ref, type Step } from './format';

interface Call {
  shape: (input: string) => number[];
  has: (input: string) => boolean;
  attributes: Record<string, unknown>;
}

type Check = (call: Call) => boolean;

const last = (shape: number[]): number | undefined => shape[shape.length - 1];
const same = (a: number[], b: number[]): boolean => String(a) === String(b);
const rank = (call: Call, input: string, ranks: number): boolean => call.shape(input).length === ranks;

/** Where there is a slope of PReLU, it is one or one a channel. */
function slope(call: Call, channels: number | undefined): boolean {
  const input = 'preluActivationWeights';
  return !call.has(input) || call.shape(input).every((size) => size === 1 || size === channels);
}

function vector(call: Call, input: string, length: number | undefined): boolean {
  return !call.has(input) || same(call.shape(input), [length!]);
}

function convolution(ranks: number): Check {
  return (call) => {
    const filter = call.shape('filter');
    const [into, out] = filter.slice(-2);
    const fits = rank(call, 'x', ranks) && filter.length === ranks && last(call.shape('x')) === into;
    return fits && vector(call, 'bias', out) && slope(call, out);
  };
}

const depthwise: Check = (call) => {
  const [into, multiplier] = call.shape('filter').slice(-2);
  const out = into! * multiplier!;
  const fits = rank(call, 'x', 4) && rank(call, 'filter', 4) && last(call.shape('x')) === into;
  return fits && vector(call, 'bias', out) && slope(call, out);
};

/** The gradient of a convolution is a convolution that enlarges: its filter is [..., out, in]. */
function transposed(ranks: number): Check {
  return (call) =>
    rank(call, 'dy', ranks) &&
    rank(call, 'filter', ranks) &&
    last(call.shape('dy')) === last(call.shape('filter'));
}

const product: Check = (call) => {
  const [a, b] = [call.shape('a'), call.shape('b')];
  const { transposeA, transposeB } = call.attributes;
  if (a.length < 2 || b.length < 2) return false;
  const inner = [a.at(transposeA ? -2 : -1), b.at(transposeB ? -1 : -2)];
  const out = b.at(transposeB ? -2 : -1);
  const bias = !call.has('bias') || [1, out].includes(last(call.shape('bias')) ?? 1);
  return inner[0] === inner[1] && bias && slope(call, out);
};

const permutation: Check = (call) => {
  const { perm } = call.attributes;
  const places = call.shape('x').map((_, axis) => axis);
  return Array.isArray(perm) && same(perm.slice().sort((a: number, b: number) => a - b) as number[], places);
};

const padding: Check = (call) => {
  const { paddings } = call.attributes;
  const pair = (ends: unknown): boolean =>
    Array.isArray(ends) && ends.length === 2 && ends.every((end) => Number.isSafeInteger(end) && end >= 0);
  return Array.isArray(paddings) && paddings.length === call.shape('x').length && paddings.every(pair);
};

const normalization: Check = (call) =>
  ['mean', 'variance', 'offset', 'scale'].every((input) => vector(call, input, last(call.shape('x'))));

const choice: Check = (call) => {
  const [condition, t, e] = ['condition', 't', 'e'].map(call.shape);
  return same(t!, e!) && (same(condition!, t!) || (condition!.length === 1 && condition![0] === t![0]));
};

const best: Check = (call) => {
  const { k } = call.attributes;
  return Number.isSafeInteger(k) && (k as number) >= 0 && (k as number) <= (last(call.shape('x')) ?? 0);
};

const picture =
  (input: string): Check =>
  (call) =>
    rank(call, input, 4);

const CHECKS: Record<string, Check> = {
  Conv2D: convolution(4),
  FusedConv2D: convolution(4),
  Conv3D: convolution(5),
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2D: depthwise,
  Conv2DBackpropInput: transposed(4),
  Conv3DBackpropInputV2: transposed(5),
  _FusedMatMul: product,
  BatchMatMul: product,
  Transpose: permutation,
  PadV2: padding,
  MirrorPad: padding,
  FusedBatchNorm: normalization,
  Select: choice,
  TopK: best,
  MaxPool: picture('x'),
  AvgPool: picture('x'),
  ResizeBilinear: picture('images'),
  ResizeNearestNeighbor: picture('images'),
  DepthToSpace: picture('x'),
};

/** Throws where a step's shapes are not those that its kernel takes for granted. */
export function fit(plan: Plan, [kernel, inputs, attributes]: Step): void {
  const name = plan.kernels[kernel]!;
  const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
  if (check && !check(callOf(plan, inputs, attributes))) damaged(`the shapes of a ${name}`);
}

function callOf(plan: Plan, inputs: Inputs, attributes: Record<string, unknown>): Call {
  const named = inputs as Record<string, Ref | undefined>;
  return {
    attributes,
    has: (input) => named[input] !== undefined,
    shape: (input) => {
      const ref = named[input];
      if (ref === undefined) damaged(`an input is missing: ${input}`);
      return typeof ref === 'number' ? plan.tensors[tensorOf(ref)]![1] : ref[1];
    },
  };
}
