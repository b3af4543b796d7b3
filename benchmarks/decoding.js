// Both ways from a file to a model's numbers, in a worker or under Node: decoding.py bundles this and runs it.
import { readWeights } from '../sitegen/runtime/src/weights/container';

async function inflate(bytes, length) {
  const { writable, readable } = new DecompressionStream('deflate-raw');
  const writer = writable.getWriter();
  writer.write(bytes);
  writer.close();
  const whole = new Uint8Array(length);
  const reader = readable.getReader();
  for (let at = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return whole.buffer;
    whole.set(value, at);
    at += value.length;
  }
}

const factors = (exponents) =>
  Float64Array.from(exponents, (e) => 2 ** Math.floor(e / 2) * (e & 1 ? Math.SQRT2 : 1));

/** What readWeights makes of a coded file: the matrices that the head lists, times their steps. */
async function inflated(file) {
  const start = 4 + new DataView(file.buffer).getUint32(0, true);
  const matrices = JSON.parse(new TextDecoder().decode(file.subarray(4, start)));
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const length = sum(matrices.map(({ rows, columns, width }) => rows * columns * width + rows + columns));
  const buffer = await inflate(file.subarray(start), length);
  let [from, to] = [0, 0];
  const next = (Kind, count) => {
    const found = new Kind(buffer, from, count);
    from += found.byteLength;
    return found;
  };
  const integers = matrices.map(({ rows, columns, width }) =>
    next(width === 1 ? Int8Array : Int16Array, rows * columns),
  );
  const values = new Float32Array(sum(integers.map((own) => own.length)));
  matrices.forEach(({ rows, columns, step }, i) => {
    const own = integers[i];
    const [byRow, byColumn] = [rows, columns].map((count) => factors(next(Int8Array, count)));
    for (let row = 0, at = 0; row < rows; row++) {
      const rowStep = step * byRow[row];
      for (let column = 0; column < columns; column++)
        values[to++] = own[at++] * (rowStep * byColumn[column]);
    }
  });
  return values.buffer;
}

const WAYS = { coded: async (file) => readWeights(file).data, deflate: inflated };

/** Decodes a file once: how long it took, and SHA-256 of the numbers. */
globalThis.measure = async (way, read) => {
  const file = await read(`${way}.bin`);
  const began = performance.now();
  const values = await WAYS[way](file);
  const milliseconds = performance.now() - began;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', values));
  return { milliseconds, digest: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') };
};

if (typeof importScripts === 'function') {
  const fetched = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  onmessage = ({ data }) =>
    measure(data, fetched).then(postMessage, (error) => postMessage({ error: String(error) }));
}
