/** The plan engine on WebGPU. */

import '@tensorflow/tfjs-backend-webgpu/dist/flags_webgpu';
import '@tensorflow/tfjs-backend-webgpu/dist/register_all_kernels';
import { registerBackend } from '@tensorflow/tfjs-core';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { serveOn } from './gpu';

// What kernels may need more of than every device has.
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

serveOn('webgpu', async () => {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('this browser has no WebGPU here');
  const requiredLimits = Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  const device = await adapter.requestDevice({ requiredLimits });
  let lost: string | null = null;
  void device.lost.then(({ message }) => (lost = `the browser took the GPU away: ${message}`));
  registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  return { name: 'webgpu', lost: () => lost };
});
