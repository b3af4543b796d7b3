/**
 * The plan of a model: kernel calls with fixed shapes, one after the other. docs/plan-format.md is the format; the build
 * records it (src/recorder/), the plan engine plays it. Nothing in a file is believed before it was checked.
 */

import type { DType, WeightSpec } from '../shared/contract';
import { checkCalls } from './calls';

export const VERSION = 1;

/** A tensor by its number, or the same numbers in another shape. */
export type Ref = number | [tensor: number, shape: number[]];

/** What a kernel takes: tensors by name, or a list of them. */
export type Inputs = Record<string, Ref> | Ref[];

export type Attributes = Record<string, unknown>;

/** A kernel (its place in `kernels`), what goes in, how, the tensors that it makes, and those not needed after it. */
export type Step = [
  kernel: number,
  inputs: Inputs,
  attributes: Attributes,
  outputs: number[],
  frees: number[],
];

export interface Plan {
  version: number;
  kernels: string[];
  /** By number: those of the weights file, constants, inputs, and what the steps make. */
  tensors: [dtype: DType, shape: number[]][];
  /** Names in the weights file. */
  weights: string[];
  constants: number[][];
  /** Names in the signature. */
  inputs: string[];
  outputs: [name: string, tensor: Ref][];
  /** So many steps at the beginning need no input, and are done once. */
  prepared: number;
  steps: Step[];
}

const ARRAYS: Record<DType, number> = { float32: 4, int32: 4, bool: 1 };
const MOST_BYTES = 2 ** 32;

export function damaged(what: string): never {
  throw new Error(`the plan is damaged: ${what}`);
}

export const sizeOf = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);
export const bytesOf = ([dtype, shape]: [DType, number[]]): number => ARRAYS[dtype] * sizeOf(shape);
export const tensorOf = (ref: Ref): number => (typeof ref === 'number' ? ref : ref[0]);
export const refsOf = (inputs: Inputs): Ref[] => (Array.isArray(inputs) ? inputs : Object.values(inputs));

/** Numbers that JSON has not are written as {"number": "Infinity"}. */
export function written(plan: Plan): string {
  return JSON.stringify(plan, (_key, value: unknown) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? { number: Object.is(value, -0) ? '-0' : String(value) }
      : value,
  );
}

function revived(_key: string, value: unknown): unknown {
  const special = typeof value === 'object' && value !== null && 'number' in value ? value.number : null;
  return typeof special === 'string' ? Number(special) : value;
}

/**
 * Reads a plan for a weights file. Throws for what is none from end to end, for kernels that `known` has not, for another
 * version, and for weights that are not those that it was made for.
 */
export function readPlan(file: Uint8Array, specs: WeightSpec[], known: (kernel: string) => boolean): Plan {
  let plan: Plan;
  try {
    plan = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file), revived) as Plan;
  } catch {
    damaged('it is no JSON');
  }
  if (typeof plan !== 'object' || plan === null) damaged('it is no plan');
  if (plan.version !== VERSION) {
    throw new Error(
      `the plan is of version ${String(plan.version)}, and this engine plays version ${VERSION}`,
    );
  }
  checkTables(plan, known);
  checkWeights(plan, specs);
  checkCalls(plan);
  return plan;
}

function checkTables(plan: Plan, known: (kernel: string) => boolean): void {
  const { kernels, tensors, weights, constants, inputs, outputs, prepared, steps } = plan;
  const lists = [kernels, tensors, weights, constants, inputs, outputs, steps];
  if (!lists.every(Array.isArray)) damaged('a table is missing');
  if (![kernels, weights, inputs].flat().every((name) => typeof name === 'string'))
    damaged('a name is no text');
  const foreign = kernels.find((name) => !known(name));
  if (foreign !== undefined)
    throw new Error(`the plan needs the kernel ${foreign}, which this engine has not`);
  for (const entry of tensors) {
    if (!Array.isArray(entry) || entry.length !== 2) damaged('a tensor is no pair');
    if (!Object.hasOwn(ARRAYS, entry[0]) || !isShape(entry[1])) damaged('a tensor is of no known kind');
    if (bytesOf(entry) > MOST_BYTES) damaged('a tensor is too large');
  }
  if (!Number.isSafeInteger(prepared) || prepared < 0 || prepared > steps.length)
    damaged('its prepared steps');
  if (weights.length + constants.length + inputs.length > tensors.length) damaged('it has too few tensors');
  constants.forEach((values, i) => {
    const [dtype, shape] = tensors[weights.length + i]!;
    const whole = Array.isArray(values) && values.every((value) => typeof value === 'number');
    if (!whole || values.length !== sizeOf(shape)) damaged('a constant is of another size');
    if (dtype !== 'float32' && !values.every(Number.isInteger)) damaged('a constant is no whole number');
  });
}

export function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function checkWeights(plan: Plan, specs: WeightSpec[]): void {
  const found = new Map(specs.map((spec) => [spec.name, spec]));
  plan.weights.forEach((name, i) => {
    const [dtype, shape] = plan.tensors[i]!;
    const spec = found.get(name);
    if (!spec) throw new Error(`the plan needs the weights ${name}, which are not in their file`);
    if (spec.dtype !== dtype || String(spec.shape) !== String(shape)) {
      throw new Error(`the weights ${name} are not those that the plan was made for`);
    }
  });
}
