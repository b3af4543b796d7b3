/** One thread of the WebAssembly backend (threads.ts): a worker that runs the same binary on the same memory. */

import { environment, type Exports } from './emscripten';
import { threading } from './threading';
import type { ToThread } from './threads';

declare const self: DedicatedWorkerGlobalScope;

/** Where a thread's record, struct pthread of this binary, has the top of its stack and its size. */
const STACK_TOP = 52;
const STACK_SIZE = 56;

let memory: WebAssembly.Memory;
let exports: WebAssembly.Exports;

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
  if (!('module' in data)) {
    run(data.self, data.routine, data.argument);
    return;
  }
  memory = data.memory;
  const env = { ...environment(() => memory), ...threading, memory };
  exports = new WebAssembly.Instance(data.module, { env, wasi_snapshot_preview1: env }).exports;
  self.postMessage(null);
};

/** Does what threads of the pool do, for ever. */
function run(thread: number, routine: number, argument: number): void {
  const call = exports as Exports;
  // Neither the main thread of the browser nor of the runtime; it may wait.
  call._emscripten_thread_init!(thread, 0, 0, 1);
  const record = new DataView(memory.buffer, thread >>> 0);
  const [top, size] = [record.getUint32(STACK_TOP, true), record.getUint32(STACK_SIZE, true)];
  call.emscripten_stack_set_limits!(top, top - size);
  call.stackRestore!(top);
  call._emscripten_tls_init!();
  const table = exports.__indirect_function_table as WebAssembly.Table;
  (table.get(routine) as (argument: number) => number)(argument);
}
