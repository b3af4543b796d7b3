/** The little of Emscripten's runtime that TF.js's binaries ask for, whether their memory is shared or not. */

import { OUT_OF_MEMORY } from '../shared/memory';

const MOST_BYTES = 2 ** 32 - 65536;
const PAGE = 65536;
/** Memory grows by a fifth, but by no more than this beyond what was asked for. */
const SPARE = 96 * 2 ** 20;
const UNSUPPORTED = 52; // WASI's ENOSYS

export type Exported = (...values: number[]) => number;
export type Exports = Record<string, Exported>;

/** The imports of every build; `memory` is asked once the binary runs, as one build brings its own. */
export function environment(memory: () => WebAssembly.Memory): WebAssembly.ModuleImports {
  const bytes = (): Uint8Array => new Uint8Array(memory().buffer);
  return {
    abort: () => {
      throw new Error(OUT_OF_MEMORY);
    },
    emscripten_memcpy_big: (to: number, from: number, count: number) => {
      bytes().copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (count >>> 0));
    },
    emscripten_get_heap_max: () => MOST_BYTES,
    emscripten_resize_heap: (wanted: number) => grow(memory(), wanted >>> 0),
    fd_close: () => UNSUPPORTED,
    fd_seek: () => UNSUPPORTED,
    fd_write: (_file: number, pieces: number, count: number, written: number) =>
      print(bytes(), pieces >>> 0, count, written >>> 0),
  };
}

/** Where so many bytes are free from now on. Throws when there are none. */
export function allocated(exports: Exports, bytes: number): number {
  const at = bytes > MOST_BYTES ? 0 : exports.malloc!(bytes) >>> 0;
  if (at === 0 && bytes > 0) throw new Error(OUT_OF_MEMORY);
  return at;
}

/** The binary, compiled. Throws, with what the visitor can do, where it cannot be. */
export async function compiled(binary: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(binary as BufferSource);
  } catch (error) {
    if (error instanceof RangeError) throw new Error(OUT_OF_MEMORY);
    throw new Error(
      'this browser is too old for the demo: update it (its WebAssembly lacks what the demo needs)',
    );
  }
}

/** The binary at work. Throws when memory runs out. */
export async function instantiated(
  module: WebAssembly.Module,
  env: WebAssembly.ModuleImports,
): Promise<WebAssembly.Exports> {
  try {
    return (await WebAssembly.instantiate(module, { env, wasi_snapshot_preview1: env })).exports;
  } catch (error) {
    throw error instanceof RangeError ? new Error(OUT_OF_MEMORY) : error;
  }
}

function grow(memory: WebAssembly.Memory, bytes: number): number {
  const before = memory.buffer.byteLength;
  for (const wanted of [Math.max(bytes, Math.min(before * 1.2, bytes + SPARE)), bytes]) {
    const pages = Math.ceil((Math.min(wanted, MOST_BYTES) - before) / PAGE);
    try {
      memory.grow(pages);
    } catch {
      continue;
    }
    return memory.buffer.byteLength >= bytes ? 1 : 0;
  }
  return 0;
}

/** WASI's fd_write: what kernels complain of. */
function print(bytes: Uint8Array, pieces: number, count: number, written: number): number {
  const view = new DataView(bytes.buffer);
  let [text, total] = ['', 0];
  for (let piece = pieces; piece < pieces + 8 * count; piece += 8) {
    const [at, length] = [view.getUint32(piece, true), view.getUint32(piece + 4, true)];
    text += new TextDecoder().decode(bytes.slice(at, at + length));
    total += length;
  }
  view.setUint32(written, total, true);
  console.warn(text);
  return 0;
}
