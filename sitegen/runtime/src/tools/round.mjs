// node round.cjs FOLDER: tasks.json and its files -> one .i16 a task, its integers (sitegen/weights/rounding.py).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { rounded } from '../weights/feedback';

const folder = argv[2];
function numbers(Type, name) {
  const bytes = readFileSync(join(folder, name));
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
for (const task of JSON.parse(readFileSync(join(folder, 'tasks.json'), 'utf8'))) {
  const { name, rows, columns, perColumn, across, step } = task;
  const feedback = {
    rows,
    columns,
    perColumn,
    weights: numbers(Float64Array, `${name}.weights`),
    alongRows: numbers(Float32Array, `${name}.rows`),
    alongColumns: across ? numbers(Float32Array, `${name}.columns`) : null,
    rowSteps: numbers(Float64Array, `${name}.rowsteps`),
    columnSteps: numbers(Float64Array, `${name}.columnsteps`),
  };
  writeFileSync(join(folder, `${name}.i16`), rounded(feedback, step));
}
