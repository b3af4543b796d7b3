/** Kernel calls -> a plan: only those that matter, no copies of what is there already, and everything freed in time. */

import type { DType } from '../shared/contract';
import {
  bytesOf,
  refsOf,
  tensorOf,
  VERSION,
  type Inputs,
  type Plan,
  type Ref,
  type Step,
} from '../plan/format';
import type { Call, DataId, Recorder, Seen } from './calls';

/** Named ends of a graph. */
export type Ends = [name: string, seen: Seen][];

/** The plan of what was recorded; `weights` are the names and tensors of the weights file, in its order. */
export function planOf(recorder: Recorder, weights: Ends, inputs: Ends, outputs: Ends): Plan {
  const origins = aliases(recorder.calls);
  const origin = (dataId: DataId): DataId => origins.get(dataId) ?? dataId;
  const calls = needed(recorder.calls, outputs, origin);
  const [prepared, played] = split(calls, inputs, origin);
  const order = [...prepared, ...played];
  const read = new Set([...order.flatMap(dataIdsOf), ...outputs.map(([, seen]) => seen.dataId)].map(origin));
  const used = weights.filter(([, { dataId }]) => read.has(dataId));
  const constants = [...recorder.constants.values()].filter(({ seen }) => read.has(seen.dataId));

  const tensors: Seen[] = [];
  const numbers = new Map<DataId, number>();
  const add = (seen: Seen): number => {
    numbers.set(seen.dataId, tensors.length);
    return tensors.push(seen) - 1;
  };
  used.forEach(([, seen]) => add(seen));
  constants.forEach(({ seen }) => add(seen));
  inputs.forEach(([, seen]) => add(seen));
  const ref = (seen: Seen): Ref => {
    const tensor = numbers.get(origin(seen.dataId))!;
    return String(tensors[tensor]!.shape) === String(seen.shape) ? tensor : [tensor, seen.shape];
  };
  const kernels = [...new Set(order.map(({ kernel }) => kernel))].sort();
  const steps = order.map(({ kernel, inputs, attributes, outputs }): Step => {
    const refs: Inputs = Array.isArray(inputs) ? inputs.map(ref) : mapped(inputs, ref);
    return [kernels.indexOf(kernel), refs, attributes, outputs.map(add), []];
  });
  const plan: Plan = {
    version: VERSION,
    kernels,
    tensors: tensors.map(({ dtype, shape }): [DType, number[]] => [dtype, shape]),
    weights: used.map(([name]) => name),
    constants: constants.map(({ values }) => values),
    inputs: inputs.map(([name]) => name),
    outputs: outputs.map(([name, seen]) => [name, ref(seen)]),
    prepared: prepared.length,
    steps,
  };
  free(plan);
  return plan;
}

function mapped<A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function dataIdsOf({ inputs }: Call): DataId[] {
  return Object.values(inputs).map(({ dataId }) => dataId);
}

/** What copies is what it copies, as kernels write to nothing but their results. */
function aliases(calls: Call[]): Map<DataId, DataId> {
  const origins = new Map<DataId, DataId>();
  for (const call of calls.filter(copies)) {
    const [given] = dataIdsOf(call);
    origins.set(call.outputs[0]!.dataId, origins.get(given!) ?? given!);
  }
  return origins;
}

function copies({ kernel, inputs, outputs }: Call): boolean {
  const [given] = Object.values(inputs);
  return kernel === 'Identity' || (kernel === 'Cast' && given!.dtype === outputs[0]!.dtype);
}

/** The calls that the outputs are made of, without those that make nothing new. */
function needed(calls: Call[], outputs: Ends, origin: (dataId: DataId) => DataId): Call[] {
  const wanted = new Set(outputs.map(([, { dataId }]) => origin(dataId)));
  const kept: Call[] = [];
  for (const call of calls.slice().reverse()) {
    // Some give back what they took, in another shape.
    const makes = copies(call) ? [] : call.outputs.filter(({ dataId }) => !dataIdsOf(call).includes(dataId));
    if (!makes.some(({ dataId }) => wanted.has(dataId))) continue;
    kept.push(call);
    dataIdsOf(call).forEach((dataId) => wanted.add(origin(dataId)));
  }
  return kept.reverse();
}

/** Calls that need no input, and those that do. */
function split(calls: Call[], inputs: Ends, origin: (dataId: DataId) => DataId): [Call[], Call[]] {
  const dynamic = new Set(inputs.map(([, { dataId }]) => dataId));
  const [prepared, played]: [Call[], Call[]] = [[], []];
  for (const call of calls) {
    const depends = dataIdsOf(call).some((dataId) => dynamic.has(origin(dataId)));
    (depends ? played : prepared).push(call);
    if (depends) call.outputs.forEach(({ dataId }) => dynamic.add(dataId));
  }
  return [prepared, played];
}

/** Has every step free what no later one reads. What prepared steps leave, and weights, are read again by the next run. */
function free(plan: Plan): void {
  const { steps, prepared } = plan;
  const last = new Map<number, number>();
  steps.forEach(([, inputs, , outputs], at) => {
    for (const tensor of [...refsOf(inputs).map(tensorOf), ...outputs]) last.set(tensor, at);
  });
  for (const [, ref] of plan.outputs) last.delete(tensorOf(ref));
  const made = new Set(steps.slice(prepared).flatMap(([, , , outputs]) => outputs));
  const fixed = plan.weights.length + plan.constants.length;
  plan.inputs.forEach((_, i) => made.add(fixed + i));
  for (const [tensor, at] of [...last].sort(([a], [b]) => a - b)) {
    if (at < prepared || made.has(tensor)) steps[at]![4].push(tensor);
  }
}

/** The most bytes that tensors take at once while a plan is played: weights, and what lies between the steps. */
export function peakOf(plan: Plan): number {
  const bytes = plan.tensors.map(bytesOf);
  const fixed = plan.weights.length + plan.constants.length;
  let now = bytes.slice(0, fixed).reduce((a, b) => a + b, 0);
  let peak = now;
  plan.steps.forEach(([, , , outputs, frees], at) => {
    if (at === plan.prepared) plan.inputs.forEach((_, i) => (now += bytes[fixed + i]!));
    outputs.forEach((tensor) => (now += bytes[tensor]!));
    peak = Math.max(peak, now);
    frees.forEach((tensor) => (now -= bytes[tensor]!));
  });
  return peak;
}
