// One of the engines that pages ship (dist/), with one model, in a worker; a variant of it by its backend: ?webgl.
const answers = new Map();
const reply = self.postMessage.bind(self);
self.postMessage = (message) => answers.get(message.id)(message);
importScripts('job.js');

const variant = location.search.slice(1);
// Of a variant with a binary of its own: its script and that.
const BUILDS = { 'wasm-threads': ['plan-threads', 'backend-threaded-simd.wasm'] };
let next = 0;
let serve, told, turns;

function ask(request) {
  return new Promise((resolve, reject) => {
    const id = next++;
    answers.set(id, (message) => (message.ok ? resolve(message.value) : reject(new Error(message.error))));
    serve({ data: { ...request, id } });
  });
}

async function load(folder) {
  const job = await jobOf(folder);
  told = job.model;
  const [script, wasm] = BUILDS[variant] ?? (variant ? [variant, null] : [job.engine, 'backend-simd.wasm']);
  importScripts(`dist/${script}.js`);
  serve = self.onmessage;
  self.onmessage = answer;
  const files = {
    graph: await bytes(`${folder}/graph.json`),
    weights: await bytes(`${folder}/${job.weights[0]}`),
    anchors: told.detection ? await bytes(`${folder}/anchors.bin`) : null,
    wasm: wasm && (await bytes(`dist/${wasm}`)),
    simd: true,
  };
  const { name, backend } = await ask({ verb: 'load', model: told, files });
  if (name !== job.engine || backend !== (variant || 'wasm-simd')) throw new Error(`ran as ${name} on ${backend}`);
  turns = await inputsOf(folder, job);
}

async function run(turn) {
  const { milliseconds, outputs, tensors } = await ask({ verb: 'run', inputs: turns[turn] });
  return { milliseconds, tensors, outputs: told.signature.outputs.map(({ name }) => Array.from(outputs[name].data)) };
}

function answer({ data }) {
  (data.folder ? load(data.folder).then(() => ({})) : run(data.turn)).then(reply, (error) =>
    reply({ error: String(error) }),
  );
}

self.onmessage = answer;
