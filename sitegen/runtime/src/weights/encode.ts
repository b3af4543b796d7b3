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

/** The stream, and how many of its bytes are each matrix's. */
export function encode(matrices: Matrix[]): { stream: Uint8Array; sizes: number[] } {
  const encoder = new Encoder(contexts());
  const sizes: number[] = [];
  for (const { rows, columns, integers, rowExponents, columnExponents } of matrices) {
    const before = encoder.size;
    exponents(encoder, rowExponents);
    exponents(encoder, columnExponents);
    matrix(encoder, integers, rows, columns);
    sizes.push(encoder.size - before);
  }
  return { stream: encoder.finish(), sizes };
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
