/**
 * The WebAssembly backend's threaded build. Its kernels hand their work to a pool of threads (pthreadpool), which are
 * workers that share its memory; the engine's own worker is one of them. Of Emscripten's runtime for threads that needs
 * next to nothing: the pool's threads never end, and never ask anything of the page.
 */

import { compiled, environment, instantiated, type Exports } from './emscripten';
import threadScript from './thread?script';
import { NO_THREADS_LEFT, threading } from './threading';
import { Wasm } from './wasm';

/** What a thread is sent: first what it is made of, and then what to do, which has no end. */
export type ToThread =
  | { module: WebAssembly.Module; memory: WebAssembly.Memory }
  | { self: number; routine: number; argument: number };

/** As the binary declares its memory, in pages. */
const LEAST = 256;
const MOST = 65536;
/** More cores than this wait for memory, or are slow ones. */
const MOST_THREADS = 4;

export interface Threaded {
  wasm: Wasm;
  /** Ends the threads; they end with the engine's worker too. */
  end: () => void;
}

/** Throws where there is no shared memory, no second core, or where a thread does not start. */
export async function startThreads(binary: Uint8Array): Promise<Threaded> {
  const count = Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS);
  if (count < 2) throw new Error('this device has one core');
  const memory = new WebAssembly.Memory({ initial: LEAST, maximum: MOST, shared: true });
  const module = await compiled(binary);
  const threads: Worker[] = [];
  const end = (): void => threads.forEach((thread) => thread.terminate());
  try {
    // The pool waits for its threads without an end, so they must be there before they are asked for.
    await Promise.all(Array.from({ length: count - 1 }, () => ready(threads, { module, memory })));
    const exports = await started(module, memory, threads);
    if (exports.get_threads_count!() !== count) throw new Error('the backend has not all of its threads');
    return { wasm: new Wasm(exports, memory), end };
  } catch (error) {
    end();
    throw error;
  }
}

/** A thread that has the binary at hand. */
function ready(threads: Worker[], parts: ToThread): Promise<void> {
  const url = URL.createObjectURL(new Blob([threadScript], { type: 'text/javascript' }));
  const thread = new Worker(url);
  threads.push(thread);
  return new Promise<void>((resolve, reject) => {
    thread.onmessage = () => resolve();
    thread.onerror = (event) => reject(new Error(event.message || 'a thread did not start'));
    thread.postMessage(parts);
  }).finally(() => URL.revokeObjectURL(url));
}

async function started(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  threads: Worker[],
): Promise<Exports> {
  const waiting = [...threads];
  const environs = {
    ...environment(() => memory),
    ...threading,
    memory,
    // It takes no more threads than half of the cores that it is told of.
    emscripten_num_logical_cores: () => 2 * (threads.length + 1),
    __emscripten_init_main_thread_js: (self: number) => {
      // Not the browser's main thread, but the runtime's; it may wait.
      exports._emscripten_thread_init!(self, 0, 1, 1);
      exports._emscripten_tls_init!();
    },
    __pthread_create_js: (self: number, _attributes: number, routine: number, argument: number) => {
      const thread = waiting.pop();
      const work: ToThread = { self, routine, argument };
      thread?.postMessage(work);
      return thread ? 0 : NO_THREADS_LEFT;
    },
  };
  const exports = (await instantiated(module, environs)) as Exports;
  exports.__wasm_call_ctors!();
  exports.init_with_threads_count!(threads.length + 1);
  return exports;
}
