/** JSON -> tensors by the model's signature, and back. */

import type { Tensor, Tensors, TensorSpec } from '../../shared/contract';
import type { Json } from './json';

const LARGEST_EXAMPLE = 64;
const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** What the first look shows: lists of small numbers, or one number that fills a large input. */
export function example(inputs: TensorSpec[]): string {
  const lines = inputs.map(({ name, dtype, shape }) => {
    const size = shape.map((n) => (n < 0 ? 1 : n));
    const count = size.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length: count <= LARGEST_EXAMPLE ? count : 0 }, (_, i) =>
      dtype === 'float32' ? i / 10 : i % 2,
    );
    const told = numbers.length ? JSON.stringify(nested(numbers, size)) : dtype === 'float32' ? '0.5' : '1';
    return `  ${JSON.stringify(name)}: ${told.replaceAll(',', ', ')}`;
  });
  return `{\n${lines.join(',\n')}\n}`;
}

/**
 * The tensors of every input. One input's value may stand alone; one number fills an input whose size is known. Throws an
 * Error that names the place, such as `input[0][2] has 3 items, and should have 4`.
 */
export function tensorsOf(given: Json, inputs: TensorSpec[]): Tensors {
  const names = inputs.map(({ name }) => name);
  const object = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (!object && inputs.length > 1) throw new Error(`name the inputs: {"${names.join('": ..., "')}": ...}`);
  const values: Record<string, Json> = object ? given : { [names[0]!]: given };
  for (const name of Object.keys(values)) {
    if (!names.includes(name)) throw new Error(`there is no input "${name}", but ${quoted(names)}`);
  }
  return Object.fromEntries(
    inputs.map((spec) => {
      if (!(spec.name in values)) throw new Error(`the input "${spec.name}" is missing`);
      return [spec.name, tensorOf(values[spec.name]!, spec)];
    }),
  );
}

function tensorOf(value: Json, { name, dtype, shape }: TensorSpec): Tensor {
  if (!Array.isArray(value) && shape.length) {
    if (shape.includes(-1)) throw new Error(`${name} has to be a list: its size is open`);
    const count = shape.reduce((a, b) => a * b, 1);
    return { dtype, shape, data: new ARRAYS[dtype](count).fill(numberOf(value, dtype, name)) };
  }
  const numbers: number[] = [];
  const size = [...shape];
  const walk = (part: Json, axis: number, place: string): void => {
    if (axis === shape.length) {
      numbers.push(numberOf(part, dtype, place));
      return;
    }
    if (!Array.isArray(part)) throw new Error(`${place} has to be a list: ${name} is ${shapeText(shape)}`);
    if (size[axis] === -1) size[axis] = part.length;
    if (part.length !== size[axis]) {
      throw new Error(`${place} has ${part.length} items, and should have ${size[axis]}`);
    }
    part.forEach((item, index) => walk(item, axis + 1, `${place}[${index}]`));
  };
  walk(value, 0, name);
  return { dtype, shape: size, data: new ARRAYS[dtype](numbers) };
}

function numberOf(value: Json, dtype: Tensor['dtype'], place: string): number {
  if (dtype === 'bool' && typeof value === 'boolean') return Number(value);
  if (typeof value !== 'number') throw new Error(`${place} has to be a number, not ${JSON.stringify(value)}`);
  if (dtype !== 'float32' && !Number.isInteger(value)) {
    throw new Error(`${place} has to be a whole number, not ${value}`);
  }
  return value;
}

/** Numbers as nested lists. */
export function nested(numbers: ArrayLike<number>, shape: number[]): Json {
  let at = 0;
  const level = (axis: number): Json =>
    axis === shape.length ? numbers[at++]! : Array.from({ length: shape[axis]! }, () => level(axis + 1));
  return level(0);
}

/** All outputs as JSON, one a line; numbers of floats as short as float32 has them. */
export function jsonOf(outputs: Tensors): string {
  const lines = Object.entries(outputs).map(([name, { shape, data, dtype }]) => {
    const numbers = dtype === 'float32' ? Array.from(data, short) : data;
    return ` ${JSON.stringify(name)}: ${JSON.stringify(nested(numbers, shape))}`;
  });
  return `{\n${lines.join(',\n')}\n}`;
}

/** Nine digits tell any float32 from any other; where fewer do, these. */
function short(value: number): number {
  const seven = Number(value.toPrecision(7));
  return Math.fround(seven) === value ? seven : Number(value.toPrecision(9));
}

/** "float32 [any, 3]" without the dtype. */
export const shapeText = (shape: number[]): string => `[${shape.map((n) => (n < 0 ? 'any' : n)).join(', ')}]`;

const quoted = (names: string[]): string => names.map((name) => `"${name}"`).join(', ');
