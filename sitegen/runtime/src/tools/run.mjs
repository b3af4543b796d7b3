// node run.cjs FOLDER: job.json and its files -> report.json and outputs.bin (sitegen/weights/engine.py): an engine of
// this very dist/, as a page's worker runs it.
import { openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { endWithParent } from './parent.mjs';
import { ask, bytes, dist, engines, start } from './worker.mjs';

const folder = argv[2];
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

endWithParent();

async function measured(job) {
  const { script, wasm } = engines()[job.engine];
  delete globalThis.process;
  start(script);
  const files = {
    graph: bytes(folder, 'graph.json'),
    anchors: job.model.detection ? bytes(folder, 'anchors.bin') : null,
    wasm: bytes(dist, wasm.simd),
    simd: true,
  };
  const outputs = openSync(join(folder, 'outputs.bin'), 'w');
  const report = [];
  for (const name of job.weights) {
    const weights = bytes(folder, name);
    const loaded = await ask({ verb: 'load', model: job.model, files: { ...files, weights } });
    if (loaded.name !== job.engine || loaded.backend !== 'wasm-simd') {
      throw new Error(`ran as ${loaded.name} on ${loaded.backend}`);
    }
    const inputs = openSync(join(folder, 'inputs.bin'));
    const runs = [];
    for (const named of job.runs) runs.push(await run(job.model, taken(inputs, named), outputs));
    report.push(runs);
  }
  return report;
}

function taken(file, named) {
  const inputs = named.map(({ name, dtype, shape }) => {
    const data = new arrays[dtype](shape.reduce((a, b) => a * b, 1));
    readSync(file, data);
    return [name, { dtype, shape, data }];
  });
  return Object.fromEntries(inputs);
}

async function run(model, inputs, file) {
  const result = await ask({ verb: 'run', inputs });
  const outputs = model.signature.outputs.map(({ name }) => {
    const { dtype, shape, data } = result.outputs[name];
    writeSync(file, data);
    return { dtype, shape };
  });
  return { outputs, milliseconds: result.milliseconds, tensors: result.tensors };
}

const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
measured(job)
  .catch((error) => ({ error: error.message }))
  .then((report) => writeFileSync(join(folder, 'report.json'), JSON.stringify(report)));
