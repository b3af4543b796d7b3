// node run.cjs FOLDER: has job.json and its files; for each name of a weights file it makes outputs.bin and answers what
// is in it (sitegen/weights/engine.py). It is an engine of this very dist/, as a page's worker runs it.
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { answer } from './answer.mjs';
import { endWithParent } from './parent.mjs';
import { ask, bytes, dist, engines, start } from './worker.mjs';

const folder = argv[2];
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

endWithParent();

const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
const { script, wasm } = engines()[job.engine];
const files = {
  graph: bytes(folder, 'graph.json'),
  anchors: job.model.detection ? bytes(folder, 'anchors.bin') : null,
  wasm: bytes(dist, wasm.simd),
  simd: true,
};

async function measured(name) {
  const weights = bytes(folder, name);
  const loaded = await ask({ verb: 'load', model: job.model, files: { ...files, weights } });
  if (loaded.name !== job.engine || loaded.backend !== 'wasm-simd') {
    throw new Error(`ran as ${loaded.name} on ${loaded.backend}`);
  }
  const inputs = openSync(join(folder, 'inputs.bin'));
  const outputs = openSync(join(folder, 'outputs.bin'), 'w');
  const runs = [];
  for (const named of job.runs) runs.push(await run(taken(inputs, named), outputs));
  closeSync(inputs);
  closeSync(outputs);
  return runs;
}

function taken(file, named) {
  const inputs = named.map(({ name, dtype, shape }) => {
    const data = new arrays[dtype](shape.reduce((a, b) => a * b, 1));
    readSync(file, data);
    return [name, { dtype, shape, data }];
  });
  return Object.fromEntries(inputs);
}

async function run(inputs, file) {
  const result = await ask({ verb: 'run', inputs });
  const outputs = job.model.signature.outputs.map(({ name }) => {
    const { dtype, shape, data } = result.outputs[name];
    writeSync(file, data);
    return { dtype, shape };
  });
  return { outputs, milliseconds: result.milliseconds, tensors: result.tensors };
}

delete globalThis.process;
start(script);
answer((name) => measured(name).catch((error) => ({ error: error.message })));
