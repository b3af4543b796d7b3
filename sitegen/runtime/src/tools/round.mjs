// node round.cjs FOLDER: has tasks.json and its files; for each list of steps it makes one .i16 a task, its integers
// (sitegen/weights/rounding.py).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { rounded } from '../weights/feedback';
import { answer } from './answer.mjs';

const folder = argv[2];
function numbers(Type, name) {
  const bytes = readFileSync(join(folder, name));
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
const tasks = JSON.parse(readFileSync(join(folder, 'tasks.json'), 'utf8')).map(
  ({ name, rows, columns, perColumn, across }) => ({
    rows,
    columns,
    perColumn,
    weights: numbers(Float64Array, `${name}.weights`),
    alongRows: numbers(Float32Array, `${name}.rows`),
    alongColumns: across ? numbers(Float32Array, `${name}.columns`) : null,
    rowSteps: numbers(Float64Array, `${name}.rowsteps`),
    columnSteps: numbers(Float64Array, `${name}.columnsteps`),
    file: join(folder, `${name}.i16`),
  }),
);
answer((steps) => {
  for (const [index, task] of tasks.entries()) writeFileSync(task.file, rounded(task, steps[index]));
});
