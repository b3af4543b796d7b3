/** The kernel calls that TF.js makes for a graph, in order: those that kernels make among themselves are left out. */

import type { KernelConfig, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../shared/contract';
import { sizeOf } from '../plan/format';

export type DataId = object;

/** A tensor as a kernel takes or gives it. */
export interface Seen {
  dataId: DataId;
  dtype: DType;
  shape: number[];
}

export interface Call {
  kernel: string;
  inputs: Record<string, Seen> | Seen[];
  attributes: Record<string, unknown>;
  outputs: Seen[];
}

/** Why a graph has no plan, as the author is told. */
export class NoPlan extends Error {}

/** Numbers that TF.js itself made, such as a shape, and that a kernel took. */
const MOST_CONSTANTS = 4096;

interface Reading {
  readSync(dataId: DataId): Float32Array | Int32Array | Uint8Array;
}

/** Notes the calls while `graph` is run. */
export class Recorder {
  readonly calls: Call[] = [];
  /** Values of the tensors that no kernel made and that are no weights. */
  readonly constants = new Map<DataId, { seen: Seen; values: number[] }>();
  private readonly backend = tf.backend() as unknown as Reading;
  private readonly known: Set<DataId>;
  /** What depends on the model's inputs. */
  private readonly dynamic: Set<DataId>;
  private depth = 0;
  private failure: NoPlan | null = null;

  constructor(weights: Iterable<DataId>, inputs: Iterable<DataId>) {
    this.dynamic = new Set(inputs);
    this.known = new Set([...weights, ...this.dynamic]);
  }

  /** What `run` gives. Throws NoPlan where its kernel calls could be others for other inputs. */
  watch<T>(run: () => T): T {
    const kernels = tf.getKernelsForBackend('wasm');
    const originals = kernels.map((kernel) => kernel.kernelFunc);
    const read = this.backend.readSync;
    this.backend.readSync = (dataId) => {
      if (this.depth === 0 && this.dynamic.has(dataId))
        this.fail('sizes or values in it depend on what goes in');
      return read.call(this.backend, dataId);
    };
    kernels.forEach((kernel, i) => (kernel.kernelFunc = this.watched(kernel.kernelName, originals[i]!)));
    try {
      const result = run();
      if (this.failure) throw this.failure;
      return result;
    } finally {
      kernels.forEach((kernel, i) => (kernel.kernelFunc = originals[i]!));
      this.backend.readSync = read;
    }
  }

  private watched(kernel: string, original: KernelConfig['kernelFunc']): KernelConfig['kernelFunc'] {
    return (call) => {
      if (this.depth > 0) return original(call);
      const inputs = this.taken(call.inputs);
      this.depth += 1;
      try {
        const result = original(call);
        this.note(kernel, inputs, call.attrs ?? {}, [result].flat());
        return result;
      } finally {
        this.depth -= 1;
      }
    };
  }

  private taken(inputs: NamedTensorInfoMap): Call['inputs'] {
    const seen = (info: TensorInfo): Seen => {
      const made = seenOf(info);
      if (!this.known.has(made.dataId)) this.constant(made);
      return made;
    };
    if (Array.isArray(inputs)) return (inputs as TensorInfo[]).map(seen);
    const given = Object.entries(inputs).filter(([, info]) => info != null);
    return Object.fromEntries(given.map(([name, info]) => [name, seen(info!)]));
  }

  private constant(seen: Seen): void {
    if (sizeOf(seen.shape) > MOST_CONSTANTS)
      this.fail('it makes many numbers that are neither weights nor inputs');
    this.known.add(seen.dataId);
    this.constants.set(seen.dataId, { seen, values: Array.from(this.backend.readSync(seen.dataId)) });
  }

  private note(kernel: string, inputs: Call['inputs'], attributes: object, results: TensorInfo[]): void {
    const outputs = results.map(seenOf);
    const depends = Object.values(inputs).some(({ dataId }) => this.dynamic.has(dataId));
    for (const { dataId } of outputs) {
      this.known.add(dataId);
      if (depends) this.dynamic.add(dataId);
    }
    this.calls.push({ kernel, inputs, attributes: plain(kernel, attributes), outputs });
  }

  // Thrown at once too, though TF.js may catch it.
  private fail(why: string): never {
    this.failure = new NoPlan(why);
    throw this.failure;
  }
}

function seenOf({ dataId, dtype, shape }: TensorInfo): Seen {
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
    throw new NoPlan(`it has tensors of ${dtype}`);
  return { dataId, dtype, shape: shape.slice() };
}

/** Attributes that JSON can hold, which are those of all kernels that pages have. */
function plain(kernel: string, attributes: object): Record<string, unknown> {
  const simple = (value: unknown): boolean =>
    value === null ||
    value === undefined ||
    ['number', 'string', 'boolean'].includes(typeof value) ||
    (Array.isArray(value) && value.every(simple));
  if (!Object.values(attributes).every(simple))
    throw new NoPlan(`a ${kernel} has attributes that no plan can hold`);
  return { ...attributes };
}
