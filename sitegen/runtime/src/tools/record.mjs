// node record.cjs FOLDER: has job.json, graph.json and a weights file; asked, it makes plan.json where there is a plan, and
// answers how large its tensors are (sitegen/plan.py).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { NoPlan, record } from '../recorder/record';
import { answer } from './answer.mjs';
import { endWithParent } from './parent.mjs';
import { ask, bytes, dist, engines, start } from './worker.mjs';

const folder = argv[2];
const text = new TextEncoder();

endWithParent();

async function recorded({ model, weights, shapes, ends }) {
  const inputs = model.signature.inputs.map((spec) => ({ ...spec, shape: shapes[spec.name] }));
  const { script, wasm } = engines().plan;
  const files = {
    weights: bytes(folder, weights[0]),
    wasm: bytes(dist, wasm.simd),
    anchors: null,
    simd: true,
  };
  const topology = bytes(folder, 'graph.json');
  const { plan, peak, runs } = await record({ ...files, topology, inputs, ends });
  // The engine that will play it must come to the very same numbers.
  start(script);
  const outputs = ends.map((name) => ({ name }));
  const bare = { signature: { inputs, outputs }, detection: null };
  await ask({ verb: 'load', model: bare, files: { ...files, graph: text.encode(plan) } });
  for (const run of runs) {
    const found = await ask({ verb: 'run', inputs: run.inputs });
    if (!ends.every((name) => same(found.outputs[name], run.outputs[name]))) {
      throw new NoPlan('its plan comes to other numbers');
    }
  }
  writeFileSync(join(folder, 'plan.json'), plan);
  return { peak };
}

function same(a, b) {
  const raw = ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return a.dtype === b.dtype && String(a.shape) === String(b.shape) && raw(a).equals(raw(b));
}

const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
const why = ({ message, constructor }) =>
  constructor === NoPlan ? message : `it fails: ${String(message).split('\n')[0]}`;
answer(() => recorded(job).catch((error) => ({ why: why(error) })));
