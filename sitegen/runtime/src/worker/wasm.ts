/** The WebAssembly backend's binary, started from its bytes: what TF.js's kernels know as its module. */

import { allocated, compiled, environment, instantiated, type Exports } from './emscripten';

export class Wasm {
  private view: Uint8Array<ArrayBuffer>;

  constructor(
    private readonly exports: Exports,
    private readonly memory: WebAssembly.Memory,
  ) {
    this.view = bytesOf(memory);
  }

  /** Throws, with what the visitor can do, where the binary cannot be compiled. */
  static async start(binary: Uint8Array): Promise<Wasm> {
    let memory: WebAssembly.Memory;
    const module = await compiled(binary);
    const exports = await instantiated(
      module,
      environment(() => memory),
    );
    memory = exports.memory as WebAssembly.Memory;
    const started = new Wasm(exports as Exports, memory);
    started.exports.__wasm_call_ctors!();
    started.exports.init_with_threads_count!(-1);
    return started;
  }

  /** The whole memory; another view after each growth. */
  get HEAPU8(): Uint8Array<ArrayBuffer> {
    if (this.view.buffer !== this.memory.buffer) this.view = bytesOf(this.memory);
    return this.view;
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
    return allocated(this.exports, bytes);
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
}

/** Shared memory is used as if it were not: nobody but the kernels' threads knows of it. */
function bytesOf(memory: WebAssembly.Memory): Uint8Array<ArrayBuffer> {
  return new Uint8Array(memory.buffer as ArrayBuffer);
}

function missing(name: string): never {
  throw new Error(`the WebAssembly backend has no ${name}`);
}
