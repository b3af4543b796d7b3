/** Which variants of the engine a browser has at all; a variant that nobody asks for here is had by none. */

/** Says why a browser lacks it, or nothing. */
type Probe = () => Promise<string | null>;

const PROBES: Record<string, Probe> = {
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
