/** A plan with its weights in TF.js's engine, ready to be played on the engine's backend. */

import { engine, type NamedTensorMap, type Tensor as Held } from '@tensorflow/tfjs-core';
import { refsOf, tensorOf, type Plan, type Ref, type Step } from '../plan/format';
import type { Tensor, Tensors } from '../shared/contract';
import type { Weights } from '../weights/container';
import { ARRAYS, sizeOf, type Values } from './backend';

export class GpuPlayer {
  /** Those that are there now, by number. */
  private readonly held = new Map<number, Held>();
  private readonly steps: Step[];
  /** What stays between runs. */
  private readonly lasting: ReadonlySet<number>;

  /** Hands over the weights and does what needs no input. */
  constructor(
    private readonly plan: Plan,
    weights: Weights,
  ) {
    this.putWeights(weights);
    plan.constants.forEach((values, i) => {
      const tensor = plan.weights.length + i;
      this.put(tensor, ARRAYS[plan.tensors[tensor]![0]].from(values) as Values);
    });
    plan.steps.slice(0, plan.prepared).forEach((step) => this.play(step));
    this.steps = plan.steps.slice(plan.prepared);
    this.lasting = new Set(this.held.keys());
  }

  /** How many buffers the backend holds, those included that a kernel forgot. */
  get buffers(): number {
    return engine().backend.numDataIds();
  }

  /** The outputs for some inputs, which must be of the plan's shapes. Nothing of a run stays, however it ends. */
  async run(inputs: Tensors): Promise<Tensors> {
    try {
      this.plan.inputs.forEach((name, i) => this.feed(name, i, inputs[name]));
      this.steps.forEach((step) => this.play(step));
      const read = this.plan.outputs.map(async ([name, ref]) => [name, await this.read(ref)] as const);
      return Object.fromEntries(await Promise.all(read));
    } finally {
      for (const tensor of [...this.held.keys()]) if (!this.lasting.has(tensor)) this.free(tensor);
    }
  }

  dispose(): void {
    for (const tensor of [...this.held.keys()]) this.free(tensor);
  }

  private putWeights({ specs, data }: Weights): void {
    const values = new Map<string, Values>();
    let at = 0;
    for (const { name, shape, dtype } of specs) {
      const bytes = sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
      // A copy: flags of one byte leave what follows them out of line, and a backend keeps what it is given.
      values.set(name, new ARRAYS[dtype](data.slice(at, at + bytes)));
      at += bytes;
    }
    this.plan.weights.forEach((name, tensor) => this.put(tensor, values.get(name)!));
  }

  private put(tensor: number, values: Values): void {
    const [dtype, shape] = this.plan.tensors[tensor]!;
    this.held.set(tensor, engine().makeTensor(values, shape, dtype));
  }

  private feed(name: string, index: number, given: Tensor | undefined): void {
    const tensor = this.plan.weights.length + this.plan.constants.length + index;
    const [dtype, shape] = this.plan.tensors[tensor]!;
    const [is, has] = [given && `${given.dtype} [${given.shape}]`, `${dtype} [${shape}]`];
    if (is !== has || given!.data.length !== sizeOf(shape)) {
      throw new Error(`the model takes ${has} as ${name}, not ${is ?? 'nothing'}`);
    }
    this.put(tensor, given!.data as Values);
  }

  private play([kernel, inputs, attributes, outputs, frees]: Step): void {
    const name = this.plan.kernels[kernel]!;
    // Another shape of a tensor is a tensor to the engine, and goes when the step is done.
    const views: Held[] = [];
    const taken = (ref: Ref): Held => {
      const tensor = this.held.get(tensorOf(ref))!;
      if (typeof ref === 'number') return tensor;
      const view = engine().runKernel('Reshape', { x: tensor }, { shape: ref[1] }) as Held;
      views.push(view);
      return view;
    };
    const filled = Array.isArray(inputs)
      ? refsOf(inputs).map(taken)
      : Object.fromEntries(Object.entries(inputs).map(([input, ref]) => [input, taken(ref)]));
    const made = [engine().runKernel(name, filled as NamedTensorMap, attributes as never)].flat();
    views.forEach((view) => view.dispose());
    if (made.length !== outputs.length) throw new Error(`the plan expects other results of a ${name}`);
    outputs.forEach((tensor, i) => {
      this.held.set(tensor, made[i]!);
      this.check(name, tensor, made[i]!);
    });
    for (const tensor of frees) this.free(tensor);
  }

  /** A result that is not as the plan says would be read wrongly by the steps after it. */
  private check(name: string, tensor: number, { dtype, shape }: Held): void {
    const [expected, size] = this.plan.tensors[tensor]!;
    if (dtype !== expected || String(shape) !== String(size)) {
      throw new Error(`the plan expects ${expected} [${size}] of a ${name}, which gave ${dtype} [${shape}]`);
    }
  }

  private free(tensor: number): void {
    this.held.get(tensor)!.dispose();
    this.held.delete(tensor);
  }

  /** A copy: some backends keep what they have read. */
  private async read(ref: Ref): Promise<Tensor> {
    const tensor = tensorOf(ref);
    const [dtype, own] = this.plan.tensors[tensor]!;
    const values = (await this.held.get(tensor)!.data()) as Values;
    return { dtype, shape: typeof ref === 'number' ? own : ref[1], data: values.slice() };
  }
}
