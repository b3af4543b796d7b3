// What Python laid out for an engine: sitegen/weights/engine.py.
const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
const jobOf = async (folder) => JSON.parse(new TextDecoder().decode(await bytes(`${folder}/job.json`)));

async function inputsOf(folder, job) {
  const { buffer } = await bytes(`${folder}/inputs.bin`);
  let at = 0;
  const take = ({ name, dtype, shape }) => {
    const size = shape.reduce((a, b) => a * b, arrays[dtype].BYTES_PER_ELEMENT);
    return [name, { dtype, shape, data: new arrays[dtype](buffer.slice(at, (at += size))) }];
  };
  return job.runs.map((named) => Object.fromEntries(named.map(take)));
}
