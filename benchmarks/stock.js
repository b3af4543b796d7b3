// TF.js as its packages come, with one model, in a worker; race.py puts a line with BACKEND before it.
importScripts('job.js', 'tfjs/core.js', 'tfjs/converter.js', 'tfjs/cpu.js', 'tfjs/webgl.js', 'tfjs/wasm.js');

let model, told, inputs;

async function load(folder) {
  const job = await jobOf(folder);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  tf.wasm.setWasmPaths('tfjs/');
  if (!(await tf.setBackend(BACKEND)) || tf.getBackend() !== BACKEND) throw new Error(`no ${BACKEND}`);
  told = job.model;
  // A weights file of plain tensors (docs/weights-format.md) holds what TF.js reads, behind a header.
  const weights = await bytes(`${folder}/${job.weights[0]}`);
  const start = 12 + new DataView(weights.buffer).getUint32(8, true);
  const { tensors } = JSON.parse(new TextDecoder().decode(weights.subarray(12, start)));
  model = await tf.loadGraphModel({
    load: async () => ({
      modelTopology: JSON.parse(new TextDecoder().decode(await bytes(`${folder}/graph.json`))),
      weightSpecs: tensors.map(({ name, shape, scheme }) => ({ name, shape, dtype: scheme })),
      weightData: weights.buffer.slice(start),
    }),
  });
  [inputs] = await inputsOf(folder, job);
}

async function run() {
  const began = performance.now();
  const fed = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape, dtype }]) => [name, tf.tensor(data, shape, dtype)]),
  );
  const names = told.signature.outputs.map(({ name }) => name);
  const results = [await executed(fed, names)].flat();
  const values = await Promise.all(results.map((result) => result.data()));
  tf.dispose([fed, results]);
  return { milliseconds: performance.now() - began, outputs: values.map((value) => Array.from(value)) };
}

// The quick way, where the graph allows it.
let dynamic = false;
function executed(fed, names) {
  if (!dynamic) {
    try {
      return model.execute(fed, names);
    } catch (error) {
      if (!String(error).includes('executeAsync')) throw error;
      dynamic = true;
    }
  }
  return model.executeAsync(fed, names);
}

onmessage = ({ data }) => {
  (data.folder ? load(data.folder).then(() => ({})) : run()).then(postMessage, (error) =>
    postMessage({ error: String(error) }),
  );
};
