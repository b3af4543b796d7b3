// node encode.cjs FOLDER: for each list of matrices, whose numbers are in integers.bin, it makes stream.bin and answers
// how many of its bytes are each one's (sitegen/weights/entropy.py).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { encode } from '../weights/encode';
import { answer } from './answer.mjs';

const folder = argv[2];
answer((told) => {
  const bytes = readFileSync(join(folder, 'integers.bin'));
  const integers = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let at = 0;
  const take = (count) => integers.subarray(at, (at += count));
  const matrices = told.map(({ rows, columns, rowExponents, columnExponents }) => ({
    rows,
    columns,
    rowExponents: rowExponents ? take(rows) : null,
    columnExponents: columnExponents ? take(columns) : null,
    integers: take(rows * columns),
  }));
  const { stream, sizes } = encode(matrices);
  writeFileSync(join(folder, 'stream.bin'), stream);
  return sizes;
});
