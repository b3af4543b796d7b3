/** Tensors in the memory of the WebAssembly backend: what TF.js's kernels know as their backend. */

import type { DType } from '../shared/contract';
import type { Wasm } from './wasm';

/** A buffer's name; what it is of is known by identity alone. */
export type DataId = object;

export interface TensorInfo {
  dataId: DataId;
  shape: number[];
  dtype: DType;
}

export type Values = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

interface Data {
  id: number;
  memoryOffset: number;
  shape: number[];
  dtype: DType;
  references: number;
}

export const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

export function sizeOf(shape: number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export class Backend {
  readonly dataIdMap = new Map<DataId, Data>();
  /** Buffers that were made since someone emptied this. */
  made: DataId[] = [];
  private next = 1;

  constructor(readonly wasm: Wasm) {}

  /** A new buffer; without values, with whatever lies there. Throws when memory runs out. */
  write(values: Values | null, shape: number[], dtype: DType): DataId {
    const bytes = sizeOf(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new Error(`there is no tensor of [${shape}]`);
    }
    const memoryOffset = this.wasm.allocate(bytes);
    if (values) {
      this.wasm.HEAPU8.set(new Uint8Array(values.buffer, values.byteOffset, bytes), memoryOffset);
    }
    return this.held(shape, dtype, memoryOffset);
  }

  makeOutput(shape: number[], dtype: DType, memoryOffset?: number | null, values?: Values): TensorInfo {
    const dataId =
      memoryOffset == null
        ? this.write(values ?? null, shape, dtype)
        : this.held(shape, dtype, memoryOffset >>> 0);
    return { dataId, shape, dtype };
  }

  /** A view of the memory itself: good until something else is allocated. */
  typedArrayFromHeap({ dataId, shape, dtype }: TensorInfo): Values {
    const { memoryOffset } = this.dataIdMap.get(dataId)!;
    return new ARRAYS[dtype](this.wasm.HEAPU8.buffer, memoryOffset, sizeOf(shape));
  }

  /** A copy. */
  readSync(dataId: DataId, start = 0, end?: number): Values {
    const { shape, dtype } = this.dataIdMap.get(dataId)!;
    return this.typedArrayFromHeap({ dataId, shape, dtype }).slice(start, end);
  }

  incRef(dataId: DataId): void {
    this.dataIdMap.get(dataId)!.references += 1;
  }

  /** Frees a buffer when nobody else refers to it, or (`force`) whoever does. */
  disposeData(dataId: DataId, force = false): boolean {
    const data = this.dataIdMap.get(dataId);
    if (!data) return true;
    data.references -= 1;
    if (!force && data.references > 0) return false;
    this.wasm._free(data.memoryOffset);
    this.wasm.unregister(data.id);
    this.dataIdMap.delete(dataId);
    return true;
  }

  private held(shape: number[], dtype: DType, memoryOffset: number): DataId {
    const [id, dataId] = [this.next++, {}];
    this.wasm.register(id, sizeOf(shape), memoryOffset);
    this.dataIdMap.set(dataId, { id, memoryOffset, shape, dtype, references: 1 });
    this.made.push(dataId);
    return dataId;
  }
}
