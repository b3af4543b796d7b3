/** Rows of a table -> tensors, and what becomes of a row when one of its features changes. */

import type { Feature, Tensor, Tensors, TensorSpec } from '../../shared/contract';

/** The value of each feature: a number, or the index of a choice. */
export type Row = number[];

const POINTS = 32;

export const firstRow = (features: Feature[]): Row => features.map((feature) => feature.default);

/** The tensors for some rows: for each input [rows, numbers], where a feature is one number, or one a choice. */
export function tensorsOf(rows: Row[], features: Feature[], inputs: TensorSpec[]): Tensors {
  return Object.fromEntries(
    inputs.map(({ name, dtype }) => {
      const own = features
        .map((feature, index) => ({ feature, index }))
        .filter(({ feature }) => feature.input === name);
      const width = own.reduce((sum, { feature }) => sum + widthOf(feature), 0);
      const data = new (dtype === 'int32' ? Int32Array : Float32Array)(rows.length * width);
      rows.forEach((row, n) => {
        for (const { feature, index } of own) put(row[index]!, feature, data, n * width + feature.at);
      });
      return [name, { dtype, shape: [rows.length, width], data }];
    }),
  );
}

const widthOf = (feature: Feature): number =>
  feature.kind === 'choice' && feature.oneHot ? feature.choices.length : 1;

function put(value: number, feature: Feature, data: Tensor['data'], at: number): void {
  if (feature.kind === 'number') data[at] = (value - feature.mean) / feature.std;
  else if (feature.oneHot) data[at + value] = 1;
  else data[at] = value;
}

/** Values over all of a feature's range, or all of its choices. */
export function sweep(feature: Feature): number[] {
  if (feature.kind === 'choice') return feature.choices.map((_, index) => index);
  const { min, max } = feature;
  return Array.from({ length: POINTS }, (_, i) => min + ((max - min) * i) / (POINTS - 1));
}

/** The row with another value for one feature. */
export const changed = (row: Row, index: number, value: number): Row =>
  row.map((old, i) => (i === index ? value : old));

/** A feature's value as people read it. */
export function told(value: number, feature: Feature): string {
  if (feature.kind === 'choice') return feature.choices[value]!;
  return feature.unit ? `${plain(value)}\u00a0${feature.unit}` : plain(value);
}

/** A number with as many digits as tell something: five. */
export const plain = (value: number): string => String(Number(value.toPrecision(5)));
