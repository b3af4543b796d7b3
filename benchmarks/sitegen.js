// The engine that pages ship (dist/graph.js), with one model, in a worker.
const answers = new Map();
const reply = self.postMessage.bind(self);
self.postMessage = (message) => answers.get(message.id)(message);
importScripts('dist/graph.js');
const serve = self.onmessage;

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
let next = 0;
let told, inputs;

function ask(request) {
  return new Promise((resolve, reject) => {
    const id = next++;
    answers.set(id, (message) => (message.ok ? resolve(message.value) : reject(new Error(message.error))));
    serve({ data: { ...request, id } });
  });
}

async function load(folder) {
  const job = JSON.parse(new TextDecoder().decode(await bytes(`${folder}/job.json`)));
  told = job.model;
  const files = {
    topology: await bytes(`${folder}/topology.json`),
    weights: await bytes(`${folder}/weights.bin`),
    anchors: told.detection ? await bytes(`${folder}/anchors.bin`) : null,
    wasm: await bytes('dist/backend-simd.wasm'),
    simd: true,
  };
  await ask({ verb: 'load', model: told, files });
  inputs = {};
  for (const { name, dtype, shape, file } of job.inputs[0]) {
    inputs[name] = { dtype, shape, data: new arrays[dtype]((await bytes(`${folder}/${file}`)).buffer) };
  }
}

async function run() {
  const { milliseconds, outputs } = await ask({ verb: 'run', inputs });
  return { milliseconds, outputs: told.signature.outputs.map(({ name }) => Array.from(outputs[name].data)) };
}

self.onmessage = ({ data }) => {
  (data.folder ? load(data.folder).then(() => ({})) : run()).then(reply, (error) =>
    reply({ error: String(error) }),
  );
};
