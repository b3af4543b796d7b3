/** What the threaded binary imports besides (emscripten.ts), in all of its threads. */

const STACK = 65536;
export const NO_THREADS_LEFT = 6; // WASI's EAGAIN

function never(): never {
  throw new Error('the threads are not made for this');
}

export const threading: WebAssembly.ModuleImports = {
  __pthread_create_js: () => NO_THREADS_LEFT,
  __emscripten_init_main_thread_js: never,
  emscripten_num_logical_cores: () => 1,
  emscripten_get_now: () => performance.timeOrigin + performance.now(),
  emscripten_check_blocking_allowed: () => undefined,
  _emscripten_default_pthread_stack_size: () => STACK,
  // Threads that end, that pass calls on to the first one, or that paint: there are none.
  __emscripten_thread_cleanup: never,
  emscripten_receive_on_main_thread_js: never,
  emscripten_unwind_to_js_event_loop: never,
  exit: never,
  _emscripten_notify_task_queue: never,
  _emscripten_set_offscreencanvas_size: never,
};
