/** Matrices of integers -> the stream of a weights file; the other half of container.ts. */

import { contexts, matrix } from './coded';
import { Encoder } from './range';

/** A matrix, and the exponents of its rows and columns in half octaves; null where all are 0. */
export interface Matrix {
  rows: number;
  columns: number;
  integers: Int16Array;
  rowExponents: Int16Array | null;
  columnExponents: Int16Array | null;
}

export function encode(matrices: Matrix[]): Uint8Array {
  const encoder = new Encoder(contexts());
  for (const { rows, columns, integers, rowExponents, columnExponents } of matrices) {
    exponents(encoder, rowExponents);
    exponents(encoder, columnExponents);
    matrix(encoder, integers, rows, columns);
  }
  return encoder.finish();
}

function exponents(encoder: Encoder, values: Int16Array | null): void {
  matrix(encoder, Int16Array.of(values ? 1 : 0), 1, 1);
  if (values)
    matrix(
      encoder,
      values.map((value, i) => value - (values[i - 1] ?? 0)),
      1,
      values.length,
    );
}
