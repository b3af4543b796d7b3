// Runs the shipped engine (dist/graph.js) under Node as a page's worker would: node engine.mjs DIST JOB
// JOB is a folder with job.json, topology.json, weights.bin and one .bin an input; writes one .bin an output.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const [dist, folder] = process.argv.slice(2);
const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
const bytes = (path) => new Uint8Array(readFileSync(path));
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

globalThis.self = globalThis;
// What tells a browser's worker from Node, for those who ask.
globalThis.WorkerGlobalScope = class {};
globalThis.importScripts = () => {};
globalThis.location = { href: '' };
delete globalThis.process;
const waiting = new Map();
globalThis.postMessage = (reply) => waiting.get(reply.id)(reply);
(0, eval)(readFileSync(join(dist, 'graph.js'), 'utf8'));

let next = 0;
async function ask(request) {
  const id = next++;
  const reply = await new Promise((resolve) => {
    waiting.set(id, resolve);
    globalThis.onmessage({ data: { ...request, id } });
  });
  if (!reply.ok) throw new Error(reply.error);
  return reply.value;
}

const files = {
  topology: bytes(join(folder, 'topology.json')),
  weights: bytes(join(folder, 'weights.bin')),
  anchors: job.model.detection ? bytes(join(folder, 'anchors.bin')) : null,
  wasm: bytes(join(dist, 'backend-simd.wasm')),
  simd: true,
};
const { backend } = await ask({ verb: 'load', model: job.model, files });
if (backend !== 'wasm-simd') throw new Error(`ran on ${backend}`);
const report = [];
for (const [turn, named] of job.inputs.entries()) {
  const inputs = Object.fromEntries(
    named.map(({ name, dtype, shape, file }) => {
      const { buffer } = bytes(join(folder, file));
      return [name, { dtype, shape, data: new arrays[dtype](buffer) }];
    }),
  );
  const result = await ask({ verb: 'run', inputs });
  const outputs = job.model.signature.outputs.map(({ name }, index) => {
    const { dtype, shape, data } = result.outputs[name];
    const file = `out-${turn}-${index}.bin`;
    writeFileSync(join(folder, file), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { dtype, shape, file };
  });
  report.push({ outputs, milliseconds: result.milliseconds, tensors: result.tensors });
}
writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
process.exit(0);
