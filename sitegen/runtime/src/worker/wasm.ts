/**
 * The WebAssembly backend's binary, started from its bytes: the little of Emscripten's runtime that it asks for, and what
 * TF.js's kernels know as its module.
 */

type Exported = (...values: number[]) => number;

const MOST_BYTES = 2 ** 32 - 65536;
const PAGE = 65536;
/** Memory grows by a fifth, but by no more than this beyond what was asked for. */
const SPARE = 96 * 2 ** 20;
const UNSUPPORTED = 52; // WASI's ENOSYS

/** What runs out; the engine stays usable when memory that a model does not need is free again. */
export const OUT_OF_MEMORY = 'this device has not enough memory for the model';

export class Wasm {
  /** The whole memory; another view after each growth. */
  HEAPU8: Uint8Array<ArrayBuffer>;
  private readonly exports: Record<string, Exported>;
  private readonly memory: WebAssembly.Memory;

  private constructor(instance: WebAssembly.Instance) {
    this.exports = instance.exports as Record<string, never>;
    this.memory = instance.exports.memory as WebAssembly.Memory;
    this.HEAPU8 = new Uint8Array(this.memory.buffer);
  }

  /** Throws, with what the visitor can do, where the binary cannot be compiled. */
  static async start(binary: Uint8Array): Promise<Wasm> {
    let started: Wasm | null = null;
    const imports = {
      abort: () => {
        throw new Error(OUT_OF_MEMORY);
      },
      emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
        started!.HEAPU8.copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (bytes >>> 0));
      },
      emscripten_get_heap_max: () => MOST_BYTES,
      emscripten_resize_heap: (bytes: number) => started!.grow(bytes >>> 0),
      fd_close: () => UNSUPPORTED,
      fd_seek: () => UNSUPPORTED,
      fd_write: (_file: number, pieces: number, count: number, written: number) =>
        started!.print(pieces >>> 0, count, written >>> 0),
    };
    const { instance } = await compiled(binary, { env: imports, wasi_snapshot_preview1: imports });
    started = new Wasm(instance);
    started.exports.__wasm_call_ctors!();
    started.exports.init_with_threads_count!(-1);
    return started;
  }

  /** Emscripten's: an exported function that takes arrays of bytes, by way of the stack. */
  cwrap(
    name: string,
    _result: string | null,
    types: string[],
  ): (...values: (number | Uint8Array)[]) => number {
    const call = this.exports[name];
    if (!call) return () => missing(name);
    if (!types.includes('array')) return call as never;
    const { stackSave, stackAlloc, stackRestore } = this.exports;
    return (...values) => {
      const top = stackSave!();
      try {
        const plain = values.map((value) => {
          if (!(value instanceof Uint8Array)) return value;
          const at = stackAlloc!(value.length) >>> 0;
          this.HEAPU8.set(value, at);
          return at;
        });
        return call(...plain);
      } finally {
        stackRestore!(top);
      }
    };
  }

  /** Where so many bytes are free from now on. Throws when there are none. */
  allocate(bytes: number): number {
    const at = bytes > MOST_BYTES ? 0 : this.exports.malloc!(bytes) >>> 0;
    if (at === 0 && bytes > 0) throw new Error(OUT_OF_MEMORY);
    return at;
  }

  _free(at: number): void {
    this.exports.free!(at);
  }

  /** Kernels know tensors by numbers. */
  register(id: number, size: number, at: number): void {
    this.exports.register_tensor!(id, size, at);
  }

  unregister(id: number): void {
    this.exports.dispose_data!(id);
  }

  private grow(bytes: number): number {
    const before = this.HEAPU8.length;
    for (const wanted of [Math.max(bytes, Math.min(before * 1.2, bytes + SPARE)), bytes]) {
      const pages = Math.ceil((Math.min(wanted, MOST_BYTES) - before) / PAGE);
      try {
        this.memory.grow(pages);
      } catch {
        continue;
      }
      this.HEAPU8 = new Uint8Array(this.memory.buffer);
      return this.HEAPU8.length >= bytes ? 1 : 0;
    }
    return 0;
  }

  /** WASI's fd_write: what kernels complain of. */
  private print(pieces: number, count: number, written: number): number {
    const view = new DataView(this.memory.buffer);
    let [text, total] = ['', 0];
    for (let piece = pieces; piece < pieces + 8 * count; piece += 8) {
      const [at, length] = [view.getUint32(piece, true), view.getUint32(piece + 4, true)];
      text += new TextDecoder().decode(this.HEAPU8.slice(at, at + length));
      total += length;
    }
    view.setUint32(written, total, true);
    console.warn(text);
    return 0;
  }
}

async function compiled(
  binary: Uint8Array,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  try {
    return await WebAssembly.instantiate(binary as BufferSource, imports);
  } catch (error) {
    if (error instanceof RangeError) throw new Error(OUT_OF_MEMORY);
    throw new Error(
      'this browser is too old for the demo: update it (its WebAssembly lacks what the demo needs)',
    );
  }
}

function missing(name: string): never {
  throw new Error(`the WebAssembly backend has no ${name}`);
}
