/** The plan engine on WebGL 2, in the worker's own canvas. */

import '@tensorflow/tfjs-backend-webgl/dist/flags_webgl';
import '@tensorflow/tfjs-backend-webgl/dist/register_all_kernels';
import { env, registerBackend } from '@tensorflow/tfjs-core';
import { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import { setWebGLContext } from '@tensorflow/tfjs-backend-webgl/dist/canvas_util';
import { serveOn } from './gpu';

// TF.js asks for no context where it would be slow, and for none in Safari's workers; here a race decides.
const ATTRIBUTES: WebGLContextAttributes = {
  alpha: false,
  antialias: false,
  depth: false,
  stencil: false,
  powerPreference: 'high-performance',
};

serveOn('webgl', async () => {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2', ATTRIBUTES);
  if (!gl) throw new Error('this browser has no WebGL 2 in workers');
  setWebGLContext(2, gl);
  registerBackend('webgl', () => new MathBackendWebGL());
  // Some devices have textures of half precision alone: it is said, and the proof will hardly pass.
  const whole = env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
  return {
    name: whole ? 'webgl' : 'webgl-float16',
    lost: () => (gl.isContextLost() ? 'the browser took the GPU away' : null),
  };
});
