// node encode.cjs FOLDER: matrices.json and integers.bin -> stream.bin and sizes.json (sitegen/weights/entropy.py).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { encode } from '../weights/encode';

const folder = argv[2];
const bytes = readFileSync(join(folder, 'integers.bin'));
const integers = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
let at = 0;
const take = (count) => integers.subarray(at, (at += count));
const matrices = JSON.parse(readFileSync(join(folder, 'matrices.json'), 'utf8')).map(
  ({ rows, columns, rowExponents, columnExponents }) => ({
    rows,
    columns,
    rowExponents: rowExponents ? take(rows) : null,
    columnExponents: columnExponents ? take(columns) : null,
    integers: take(rows * columns),
  }),
);
const { stream, sizes } = encode(matrices);
writeFileSync(join(folder, 'stream.bin'), stream);
writeFileSync(join(folder, 'sizes.json'), JSON.stringify(sizes));
