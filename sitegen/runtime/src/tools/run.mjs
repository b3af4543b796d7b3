// node run.cjs FOLDER: has job.json and its files; for each name of a weights file it makes outputs.bin and answers what
// is in it (sitegen/weights/engine.py). It is the engine of this very dist/, as a page's worker runs it.
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, ppid } from 'node:process';
import { runInThisContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { answer } from './answer.mjs';

const dist = dirname(argv[1]);
const folder = argv[2];
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
const bytes = (...path) => new Uint8Array(readFileSync(join(...path)));

// Who started this may be killed, and then cannot end it; a thread sees that whatever the model does.
const watch = `setInterval(() => process.ppid === ${ppid} || process.kill(process.pid, 'SIGKILL'), 200)`;
new Worker(watch, { eval: true }).unref();

let answered;

function start(script) {
  globalThis.self = globalThis;
  // What tells a browser's worker from Node, for those who ask.
  globalThis.WorkerGlobalScope = class {};
  globalThis.importScripts = () => {};
  globalThis.location = { href: '' };
  delete globalThis.process;
  globalThis.postMessage = (reply) => answered(reply);
  runInThisContext(readFileSync(join(dist, script), 'utf8'), script);
}

async function ask(request) {
  const reply = await new Promise((resolve) => {
    answered = resolve;
    globalThis.onmessage({ data: { ...request, id: 0 } });
  });
  if (!reply.ok) throw new Error(reply.error);
  return reply.value;
}

const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
const { script, wasm } = JSON.parse(readFileSync(join(dist, 'runtime.json'), 'utf8')).engines.graph;
const files = {
  topology: bytes(folder, 'topology.json'),
  anchors: job.model.detection ? bytes(folder, 'anchors.bin') : null,
  wasm: bytes(dist, wasm.simd),
  simd: true,
};

async function measured(name) {
  const weights = bytes(folder, name);
  const { backend } = await ask({ verb: 'load', model: job.model, files: { ...files, weights } });
  if (backend !== 'wasm-simd') throw new Error(`ran on ${backend}`);
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

start(script);
answer((name) => measured(name).catch((error) => ({ error: error.message })));
