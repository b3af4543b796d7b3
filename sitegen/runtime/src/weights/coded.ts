/**
 * Matrices of small integers through the range coder: docs/weights-format.md has the whole of it. What size a number will
 * have is guessed from those before it in its column and its row; the guess chooses the contexts. All arithmetic is
 * plain IEEE 754, so that every engine guesses the same.
 */

import tables from '../../../weights/tables.json';
import { Contexts, type Coder } from './range';

const { thresholds, zero, unary, low } = tables;
const BUCKETS = thresholds.length;
/** So many steps are coded one by one; the rest of a larger number is Exp-Golomb code. */
const STEPS = 17;
const LONGEST = 16;
const LARGEST = 32767;
const ZERO = 0;
const UNARY = ZERO + BUCKETS;
const LOW = UNARY + BUCKETS * (STEPS + 1);
const LENGTH = LOW + BUCKETS * 2;

/** The contexts of a stream, before its first matrix. */
export function contexts(): Contexts {
  const initial = new Uint16Array(LENGTH + LONGEST + 1).fill(32768);
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    initial[ZERO + bucket] = zero[bucket]!;
    initial.fill(unary[bucket]!, UNARY + bucket * (STEPS + 1), UNARY + (bucket + 1) * (STEPS + 1));
  }
  return new Contexts(initial);
}

function bucketOf(size: number): number {
  let [first, last] = [0, BUCKETS - 1];
  while (first < last) {
    const middle = (first + last) >> 1;
    if (size < thresholds[middle]!) last = middle;
    else first = middle + 1;
  }
  return first;
}

/** One number: whether it is 0, its sign, the high bits of its size one by one, the low ones. */
function number(coder: Coder, bucket: number, value: number): number {
  if (!coder.bit(ZERO + bucket, value === 0 ? 0 : 1)) return 0;
  const negative = coder.even(value < 0 ? 1 : 0);
  const size = Math.abs(value) - 1;
  const lowBits = low[bucket]!;
  const high = size >> lowBits;
  const context = UNARY + bucket * (STEPS + 1);
  let steps = 0;
  while (steps < STEPS && coder.bit(context + steps, high > steps ? 1 : 0)) steps++;
  let read = steps === STEPS ? STEPS + golomb(coder, high - STEPS) : steps;
  for (let bit = lowBits - 1; bit >= 0; bit--) {
    const given = (size >> bit) & 1;
    read =
      read * 2 +
      (bit === lowBits - 1 ? coder.bit(LOW + bucket * 2 + (steps > 0 ? 1 : 0), given) : coder.even(given));
  }
  if (read >= LARGEST) throw new Error('the weights are damaged: a number is too large');
  return negative ? -read - 1 : read + 1;
}

/** Exp-Golomb: how many bits, one by one, and then those after the first. */
function golomb(coder: Coder, rest: number): number {
  const value = rest + 1;
  const length = 31 - Math.clz32(value);
  let bits = 0;
  while (coder.bit(LENGTH + bits, length > bits ? 1 : 0)) {
    if (++bits > LONGEST) throw new Error('the weights are damaged: a number is too large');
  }
  let read = 1;
  for (let bit = bits - 1; bit >= 0; bit--) read = read * 2 + coder.even((value >> bit) & 1);
  return read - 1;
}

/** A matrix, row by row; an encoder takes the numbers out of `values`, a decoder puts them there. */
export function matrix(coder: Coder, values: Int16Array, rows: number, columns: number): void {
  const sums = new Float64Array(columns);
  const counts = new Float64Array(columns);
  let [all, number_of, before, at] = [1, 1, 1, 0];
  for (let row = 0; row < rows; row++) {
    const mean = all / number_of;
    const likely = row > 0 ? 0.5 * mean + 0.5 * before : mean;
    let [found, expected, sum] = [6 * likely + 0.001, 6 * mean + 0.001, 0];
    for (let column = 0; column < columns; column++) {
      const own = (sums[column]! + 8 * mean) / (counts[column]! + 8);
      const value = number(coder, bucketOf((own * found) / expected), values[at]!);
      values[at++] = value;
      const size = Math.abs(value);
      found += size;
      expected += own;
      sum += size;
      sums[column]! += size;
      counts[column]! += 1;
      if (counts[column]! > 64) {
        sums[column]! *= 0.5;
        counts[column]! *= 0.5;
      }
      all += size;
      number_of += 1;
    }
    before = sum / columns;
    if (number_of > 20000) {
      all *= 0.5;
      number_of *= 0.5;
    }
  }
}
