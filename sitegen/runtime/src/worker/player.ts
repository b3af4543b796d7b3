/** A plan with its weights in memory, ready to be played. */

import { refsOf, tensorOf, type Plan, type Ref, type Step } from '../plan/format';
import type { Tensor, Tensors } from '../shared/contract';
import type { Opened } from '../weights/container';
import { ARRAYS, sizeOf, type Backend, type DataId, type TensorInfo, type Values } from './backend';
import { kernels, type Kernel } from './core';

/** A step whose inputs are filled in while the plan is played. */
interface Call {
  name: string;
  kernel: Kernel['kernelFunc'];
  inputs: Record<string, TensorInfo> | TensorInfo[];
  attrs: Record<string, unknown>;
  outputs: number[];
  frees: number[];
}

const NOTHING: DataId = {};

export class Player {
  /** Every way in which a tensor is read; where its numbers are is filled in. */
  private readonly readers: TensorInfo[][];
  private readonly held = new Map<number, DataId>();
  private readonly calls: Call[];
  private readonly outputs: [string, TensorInfo][];
  /** What stays between runs. */
  private readonly lasting: ReadonlySet<DataId>;

  /** Puts the weights into memory and does what needs no input. Throws when memory runs out. */
  constructor(
    private readonly plan: Plan,
    private readonly backend: Backend,
    weights: Opened,
  ) {
    this.readers = plan.tensors.map(() => []);
    this.outputs = plan.outputs.map(([name, ref]) => [name, this.reader(ref)]);
    this.calls = plan.steps.map((step) => this.call(step));
    this.putWeights(weights);
    plan.constants.forEach((values, i) => this.put(plan.weights.length + i, values));
    for (const call of this.calls.splice(0, plan.prepared)) this.play(call);
    this.lasting = new Set(backend.dataIdMap.keys());
  }

  /** How many buffers are in memory. */
  get buffers(): number {
    return this.backend.dataIdMap.size;
  }

  /** The outputs for some inputs, which must be of the plan's shapes. Throws when memory runs out; nothing then stays. */
  run(inputs: Tensors): Tensors {
    try {
      this.plan.inputs.forEach((name, i) => this.feed(name, i, inputs[name]));
      this.calls.forEach((call) => this.play(call));
      return Object.fromEntries(this.outputs.map(([name, info]) => [name, this.read(info)]));
    } finally {
      for (const dataId of this.backend.dataIdMap.keys()) {
        if (!this.lasting.has(dataId)) this.backend.disposeData(dataId, true);
      }
    }
  }

  private reader(ref: Ref): TensorInfo {
    const [dtype, own] = this.plan.tensors[tensorOf(ref)]!;
    const info = { dataId: NOTHING, dtype, shape: typeof ref === 'number' ? own : ref[1] };
    this.readers[tensorOf(ref)]!.push(info);
    return info;
  }

  private call([kernel, inputs, attrs, outputs, frees]: Step): Call {
    const name = this.plan.kernels[kernel]!;
    const filled = Array.isArray(inputs)
      ? refsOf(inputs).map((ref) => this.reader(ref))
      : Object.fromEntries(Object.entries(inputs).map(([input, ref]) => [input, this.reader(ref)]));
    return { name, kernel: kernels.get(name)!.kernelFunc, inputs: filled, attrs, outputs, frees };
  }

  private putWeights({ specs, tensors }: Opened): void {
    const numbers = new Map(this.plan.weights.map((name, tensor) => [name, tensor]));
    let at = 0;
    for (const values of tensors()) {
      const { name, shape, dtype } = specs[at++]!;
      const tensor = numbers.get(name);
      if (tensor !== undefined) this.hold(tensor, this.backend.write(values, shape, dtype));
    }
  }

  private put(tensor: number, values: ArrayLike<number>): void {
    const [dtype, shape] = this.plan.tensors[tensor]!;
    this.hold(tensor, this.backend.write(ARRAYS[dtype].from(values) as Values, shape, dtype));
  }

  private feed(name: string, index: number, given: Tensor | undefined): void {
    const tensor = this.plan.weights.length + this.plan.constants.length + index;
    const [dtype, shape] = this.plan.tensors[tensor]!;
    const [is, has] = [given && `${given.dtype} [${given.shape}]`, `${dtype} [${shape}]`];
    if (is !== has || given!.data.length !== sizeOf(shape)) {
      throw new Error(`the model takes ${has} as ${name}, not ${is ?? 'nothing'}`);
    }
    this.hold(tensor, this.backend.write(given!.data as Values, shape, dtype));
  }

  private play({ name, kernel, inputs, attrs, outputs, frees }: Call): void {
    const { backend } = this;
    backend.made = [];
    const made = [kernel({ inputs, attrs, backend })].flat();
    if (made.length !== outputs.length) throw new Error(`the plan expects other results of a ${name}`);
    outputs.forEach((tensor, i) => this.check(name, tensor, made[i]!));
    // Kernels leave some of what they made on their way.
    const results = new Set(made.map(({ dataId }) => dataId));
    for (const dataId of backend.made) if (!results.has(dataId)) backend.disposeData(dataId, true);
    outputs.forEach((tensor, i) => this.hold(tensor, made[i]!.dataId));
    for (const tensor of frees) {
      backend.disposeData(this.held.get(tensor)!, true);
      this.held.delete(tensor);
    }
  }

  /** A result that is not as the plan says would be read wrongly by the steps after it. */
  private check(name: string, tensor: number, { dataId, dtype, shape }: TensorInfo): void {
    const [expected, size] = this.plan.tensors[tensor]!;
    if (dtype !== expected || String(shape) !== String(size) || !this.backend.made.includes(dataId)) {
      throw new Error(`the plan expects ${expected} [${size}] of a ${name}, which gave ${dtype} [${shape}]`);
    }
  }

  private hold(tensor: number, dataId: DataId): void {
    this.held.set(tensor, dataId);
    for (const reader of this.readers[tensor]!) reader.dataId = dataId;
  }

  private read({ dataId, dtype, shape }: TensorInfo): Tensor {
    return { dtype, shape, data: this.backend.readSync(dataId) };
  }
}
