/**
 * The file of a model's weights -> TF.js's: a manifest, and the tensors one after the other. docs/weights-format.md is the
 * format; sitegen/weights/container.py writes and reads it. Nothing in a file is believed before it was checked.
 */

import type { WeightSpec } from '../shared/contract';
import { contexts, matrix } from './coded';
import { Decoder } from './range';

export interface Weights {
  specs: WeightSpec[];
  data: ArrayBuffer;
}

/** What the header says of one tensor. */
interface Entry {
  name: string;
  shape: number[];
  /**
   * Plain little-endian numbers, one byte a number (value = min + scale * byte), or a matrix of integers times steps, which
   * are a power of two apart (coded) or are listed (grid).
   */
  scheme: 'float32' | 'float16' | 'int32' | 'bool' | 'uint8' | 'coded' | 'grid';
  scale?: number;
  min?: number;
  /** Of both: how many rows there are. Of coded ones, the size of a step before its row's and column's exponents. */
  rows?: number;
  step?: number;
  /** Of grids: how many steps are listed, one or one for each column. */
  steps?: number;
}

const MAGIC = 0x54574753; // "SGWT"
const VERSION = 1;
const HEAD = 12;
const WIDTHS: Record<Entry['scheme'], number> = {
  float32: 4,
  float16: 2,
  int32: 4,
  bool: 1,
  uint8: 1,
  coded: 0,
  grid: 0,
};
const MOST_NUMBERS = 2 ** 31;
/** The fewest bits that a number can take are log2(4096 / 4080). */
const MOST_A_BYTE = 1500;

function damaged(what: string): never {
  throw new Error(`the weights are damaged: ${what}`);
}

/** A file that was checked: what is in it, and the numbers of one tensor after the other, each made when its turn comes. */
export interface Opened {
  specs: WeightSpec[];
  /** Bytes of numbers as TF.js has them, in the order of `specs`. Throws where the file ends otherwise than it should. */
  tensors: () => Generator<Uint8Array<ArrayBuffer>>;
}

/** All tensors at once. */
export function readWeights(file: Uint8Array): Weights {
  const { specs, tensors } = openWeights(file);
  const data = new Uint8Array(specs.reduce((sum, spec) => sum + bytesIn(spec), 0));
  let at = 0;
  for (const tensor of tensors()) {
    data.set(tensor, at);
    at += tensor.length;
  }
  return { specs, data: data.buffer };
}

/** For whom all tensors at once would be too much: a file of 80 MB may hold 320 MB of numbers. */
export function openWeights(file: Uint8Array): Opened {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEAD || view.getUint32(0, true) !== MAGIC) damaged('this is no weights file');
  if (view.getUint32(4, true) !== VERSION) throw new Error('the weights are of another version of sitegen');
  const start = HEAD + view.getUint32(8, true);
  if (start > file.length) damaged('the header is too long');
  const entries = header(file.subarray(HEAD, start));
  const counts = entries.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const widths = entries.map(({ scheme, steps }, i) =>
    scheme === 'grid' ? 4 * steps! : counts[i]! * WIDTHS[scheme],
  );
  const plain = widths.reduce((a, b) => a + b, 0);
  if (start + plain > file.length) damaged('it is too short');
  const stream = file.subarray(start + plain);
  const most = entries.reduce((sum, { scheme }, i) => sum + (streamed(scheme) ? counts[i]! : 0), 0);
  if (most > MOST_A_BYTE * stream.length) damaged('it claims more numbers than it can hold');
  const isCoded = entries.some(({ scheme }) => streamed(scheme));
  if (!isCoded && stream.length > 0) damaged('it is too long');
  function* tensors(): Generator<Uint8Array<ArrayBuffer>> {
    const decoder = isCoded ? new Decoder(stream, contexts()) : null;
    let from = start;
    for (const [i, entry] of entries.entries()) {
      const bytes = file.subarray(from, from + widths[i]!);
      from += bytes.length;
      if (streamed(entry.scheme)) yield bytesOf(coded(decoder!, entry, counts[i]!, bytes));
      else if (entry.scheme === 'uint8') yield bytesOf(affine(bytes, entry));
      else if (entry.scheme === 'float16') yield bytesOf(halves(bytes));
      // Where it lies in the file, numbers may not begin at a place where they can be read as such.
      else yield bytes.slice();
    }
    decoder?.end();
  }
  return {
    specs: entries.map(({ name, shape, scheme }) => ({ name, shape, dtype: dtypeOf(scheme) })),
    tensors,
  };
}

const bytesIn = ({ shape, dtype }: WeightSpec): number =>
  shape.reduce((a, b) => a * b, 1) * (dtype === 'bool' ? 1 : 4);

function streamed(scheme: Entry['scheme']): boolean {
  return scheme === 'coded' || scheme === 'grid';
}

function dtypeOf(scheme: Entry['scheme']): WeightSpec['dtype'] {
  return scheme === 'int32' || scheme === 'bool' ? scheme : 'float32';
}

function bytesOf(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function header(bytes: Uint8Array): Entry[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    damaged('the header is no JSON');
  }
  const tensors = (parsed as { tensors?: unknown } | null)?.tensors;
  if (!Array.isArray(tensors)) damaged('the header has no tensors');
  tensors.forEach(check);
  return tensors as Entry[];
}

function check(entry: Partial<Entry> | null): void {
  const { name, shape, scheme, scale, min, step, rows, steps } = entry ?? {};
  if (typeof name !== 'string' || !scheme || !Object.hasOwn(WIDTHS, scheme))
    damaged('a tensor is of no known kind');
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    damaged(`the shape of ${name}`);
  const count = shape.reduce((a: number, b: number) => a * b, 1);
  if (count > MOST_NUMBERS) damaged(`${name} is too large`);
  if (scheme === 'uint8' && !(Number.isFinite(scale) && Number.isFinite(min)))
    damaged(`the scale of ${name}`);
  if (!streamed(scheme)) return;
  if (scheme === 'coded' && !(Number.isFinite(step) && step! > 0)) damaged(`the step of ${name}`);
  if (!Number.isSafeInteger(rows) || rows! < 1 || count % rows! !== 0 || count === 0)
    damaged(`the rows of ${name}`);
  if (scheme === 'grid' && steps !== 1 && steps !== count / rows!) damaged(`the steps of ${name}`);
}

/** What each of so many codes stands for, which is worked out once: there may be millions of numbers. */
function looked(codes: Uint8Array | Uint16Array, table: Float32Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(codes.length);
  for (let i = 0; i < values.length; i++) values[i] = table[codes[i]!]!;
  return values;
}

const affine = (bytes: Uint8Array, { scale, min }: Entry): Float32Array<ArrayBuffer> =>
  looked(
    bytes,
    Float32Array.from({ length: 256 }, (_, byte) => byte * scale! + min!),
  );

/** By products, which are exact everywhere; Math.pow need not be. */
function powerOf2(exponent: number): number {
  let power = 1;
  for (let i = 0; i < Math.abs(exponent); i++) power *= exponent < 0 ? 0.5 : 2;
  return power;
}

/** IEEE 754 half precision. */
function half(code: number): number {
  const exponent = (code >> 10) & 31;
  const fraction = code & 1023;
  const size =
    exponent === 0
      ? fraction * powerOf2(-24)
      : exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : (1 + fraction / 1024) * powerOf2(exponent - 15);
  return code & 0x8000 ? -size : size;
}

let all: Float32Array | null = null;

function halves(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  all ??= Float32Array.from({ length: 65536 }, (_, code) => half(code));
  const codes = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < codes.length; i++) codes[i] = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
  return looked(codes, all);
}

/**
 * Exponents of rows and columns, in half octaves, each as the difference to the one before; then the integers. `listed`
 * are the steps of a grid.
 */
function coded(
  decoder: Decoder,
  { step = 1, rows, shape }: Entry,
  count: number,
  listed: Uint8Array,
): Float32Array<ArrayBuffer> {
  const columns = count / rows!;
  const factors = [rows!, columns].map((length) => factorsOf(decoder, length));
  const steps = new Float32Array(listed.slice().buffer);
  if (steps.length > 0) factors[1] = factors[1]!.map((factor, i) => factor * steps[i % steps.length]!);
  const integers = new Int16Array(count);
  matrix(decoder, integers, rows!, columns);
  const values = new Float32Array(count);
  for (let row = 0, at = 0; row < rows!; row++) {
    const own = step * factors[0]![row]!;
    for (let column = 0; column < columns; column++, at++) {
      values[at] = integers[at]! * (own * factors[1]![column]!);
    }
  }
  if (!values.every(Number.isFinite))
    damaged(`a tensor of shape ${shape.join('x')} has numbers that are none`);
  return values;
}

function factorsOf(decoder: Decoder, length: number): Float64Array {
  const given = new Int16Array(1);
  matrix(decoder, given, 1, 1);
  const factors = new Float64Array(length).fill(1);
  if (given[0] === 0) return factors;
  const differences = new Int16Array(length);
  matrix(decoder, differences, 1, length);
  let halfOctaves = 0;
  for (let i = 0; i < length; i++) {
    halfOctaves += differences[i]!;
    if (Math.abs(halfOctaves) > 200) damaged('an exponent is too large');
    const octaves = Math.floor(halfOctaves / 2);
    factors[i] = powerOf2(octaves) * (halfOctaves - 2 * octaves ? Math.SQRT2 : 1);
  }
  return factors;
}
