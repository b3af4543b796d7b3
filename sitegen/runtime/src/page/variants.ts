/** The variants of an engine that this device can run, and which of all has been found the fastest here. */

import type { DemoConfig, PageConfig, Variant } from '../shared/contract';
import { simdSupported } from '../shared/needs';

/** Whether this page, as it was loaded, can run a variant. */
export function runs({ backend }: Variant): boolean {
  if (backend !== 'wasm-threads') return false;
  // Some browsers isolate pages and give them no shared memory.
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function' && mayRunThreads();
}

/** Whether threads could be of use on this device, were the page isolated; WebKitGTK says so and then has none. */
export function mayRunThreads(): boolean {
  return navigator.hardwareConcurrency > 1 && simdSupported() && sharedMemory();
}

function sharedMemory(): boolean {
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 0, maximum: 1, shared: true });
    return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
  } catch {
    return false;
  }
}

/** What was found out on this device about a page's model; without storage it is found out at each visit. */
export class Found {
  private readonly key: string;
  /** Of other files, or on other hardware, it has to be found out again. */
  private readonly of: string;

  constructor(page: PageConfig, demo: DemoConfig, base: string) {
    this.key = `sitegen|${new URL(base).pathname}|fastest|${page.page}`;
    const { engine, model } = demo;
    const refs = [model.graph, model.weights, engine.script, ...engine.variants.map(({ script }) => script)];
    const parts = refs.map(({ chunks }) => chunks.map(([id]) => id.slice(0, 16)).join('+'));
    this.of = [navigator.hardwareConcurrency, ...parts].join(' ');
  }

  /** The name of a backend; null when nothing is known. */
  get backend(): string | null {
    try {
      const [of, backend] = JSON.parse(localStorage.getItem(this.key) ?? '[]') as string[];
      return of === this.of ? (backend ?? null) : null;
    } catch {
      return null;
    }
  }

  set backend(backend: string) {
    try {
      localStorage.setItem(this.key, JSON.stringify([this.of, backend]));
    } catch {
      // Full, or not allowed.
    }
  }
}
