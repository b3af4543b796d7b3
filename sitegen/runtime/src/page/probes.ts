/** Which variants of the engine a browser has at all; a variant that nobody asks for here is had by none. */

import { simdSupported } from '../shared/needs';

/** The variant that needs pages to be isolated from other sites. */
export const THREADS = 'wasm-threads';

/** Says why a browser lacks it, or nothing. */
type Probe = () => Promise<string | null>;

const PROBES: Record<string, Probe> = {
  [THREADS]: () => Promise.resolve(threads() ? null : 'this browser shares no memory between cores here'),
  webgl: () => Promise.resolve(webgl() ? null : 'this browser has no WebGL 2 for it'),
  webgpu: async () => {
    // There is an adapter, or null, or in some browsers an error.
    const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
    return adapter ? null : 'this browser has no WebGPU here';
  },
};

/** Why the variant of a backend cannot run here; null when it can. */
export function lacking(backend: string): Promise<string | null> {
  const probe = Object.hasOwn(PROBES, backend) ? PROBES[backend] : undefined;
  return probe ? probe() : Promise.resolve('this page does not know it');
}

/** In a worker there is no other canvas. */
function webgl(): boolean {
  if (typeof OffscreenCanvas === 'undefined') return false;
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  // Browsers allow so many at a time.
  gl?.getExtension('WEBGL_lose_context')?.loseContext();
  return gl !== null;
}

/** Some browsers isolate pages and give them no shared memory. */
function threads(): boolean {
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function' && mayRunThreads();
}

/** Whether threads could be of use on this device, were the page isolated: their binary has SIMD. */
export function mayRunThreads(): boolean {
  return navigator.hardwareConcurrency > 1 && simdSupported();
}
