/** Whether a plan's steps can be played: every tensor is made before it is read, freed once, and fits its kernel. */

import { fit } from './fit';
import { damaged, isShape, refsOf, sizeOf, tensorOf, type Plan, type Ref, type Step } from './format';

/** Throws for the first step that cannot. */
export function checkCalls(plan: Plan): void {
  const fixed = plan.weights.length + plan.constants.length;
  const first = fixed + plan.inputs.length;
  const alive = new Set(Array.from({ length: fixed }, (_, tensor) => tensor));
  const results = new Set(plan.outputs.map((output) => checkedOutput(plan, output)));
  let made = first;
  const play = (step: Step, lasting: ReadonlySet<number>): void => {
    checkForm(plan, step);
    const [, inputs, , outputs, frees] = step;
    for (const ref of refsOf(inputs)) checkRef(ref, alive);
    for (const tensor of outputs) {
      if (tensor !== made) damaged('a step makes a tensor out of turn');
      alive.add(made++);
    }
    for (const tensor of frees) {
      if (lasting.has(tensor) || results.has(tensor) || !alive.delete(tensor)) {
        damaged('a step frees what it must not');
      }
    }
    fit(plan, step);
  };
  for (const step of plan.steps.slice(0, plan.prepared)) play(step, new Set());
  const lasting = new Set(alive);
  for (let tensor = fixed; tensor < first; tensor++) alive.add(tensor);
  for (const step of plan.steps.slice(plan.prepared)) play(step, lasting);
  if (made !== plan.tensors.length) damaged('it has tensors that nobody makes');
  for (const [, ref] of plan.outputs) checkRef(ref, alive);
  const inputs = (tensor: number): boolean => tensor >= fixed && tensor < first;
  for (const tensor of alive) {
    if (!lasting.has(tensor) && !results.has(tensor) && !inputs(tensor)) damaged('a tensor is never freed');
  }
}

function checkedOutput(plan: Plan, output: unknown): number {
  if (!Array.isArray(output) || output.length !== 2 || typeof output[0] !== 'string')
    damaged('an output is no pair');
  checkRefForm(plan, output[1]);
  return tensorOf(output[1] as Ref);
}

function checkForm(plan: Plan, step: Step): void {
  if (!Array.isArray(step) || step.length !== 5) damaged('a step is no list of five');
  const [kernel, inputs, attributes, outputs, frees] = step;
  if (!isShape([kernel]) || kernel >= plan.kernels.length) damaged('a step has no kernel');
  if (!isObject(inputs) && !Array.isArray(inputs)) damaged('a step has no inputs');
  if (!isObject(attributes)) damaged('a step has no attributes');
  if (![outputs, frees].every(isShape) || outputs.length === 0) damaged('a step has no outputs');
  for (const ref of refsOf(inputs)) checkRefForm(plan, ref);
}

function checkRefForm(plan: Plan, ref: unknown): void {
  const [tensor, shape] = Array.isArray(ref) ? (ref as unknown[]) : [ref];
  const entry = Number.isSafeInteger(tensor) ? plan.tensors[tensor as number] : undefined;
  if (!entry) damaged('a step reads no tensor');
  if (shape === undefined && !Array.isArray(ref)) return;
  if (!isShape(shape) || sizeOf(shape) !== sizeOf(entry[1]))
    damaged('a tensor is read in a shape that it has not');
}

function checkRef(ref: Ref, alive: ReadonlySet<number>): void {
  if (!alive.has(tensorOf(ref))) damaged('a step reads a tensor that is not there');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
