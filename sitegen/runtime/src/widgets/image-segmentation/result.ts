/** A map of scores -> the class of every cell. */

import type { DemoConfig, Tensor } from '../../shared/contract';

export interface Segments {
  width: number;
  height: number;
  /** The class of every cell, row by row. */
  classes: Int32Array;
  /** How many cells each class has that has any, by class. */
  counts: Map<number, number>;
}

/**
 * Of [1, height, width, classes], the best class of each cell, the first of equals; of [1, height, width] and
 * [1, height, width, 1], whole numbers are classes, and others 1 from a half on.
 */
export function segmentsOf(
  { shape, data, dtype }: Tensor,
  activation: DemoConfig['output']['activation'],
): Segments {
  const [, height, width, depth = 1] = shape as [number, number, number, number?];
  const classes = new Int32Array(height * width);
  // A sigmoid is a half where its logit is nothing.
  const half = activation === 'sigmoid' ? 0 : 0.5;
  for (let cell = 0; cell < classes.length; cell++) {
    if (depth > 1) classes[cell] = bestOf(data, cell * depth, depth);
    else classes[cell] = dtype === 'int32' ? data[cell]! : Number(data[cell]! >= half);
  }
  const counts = new Map<number, number>();
  for (const kind of classes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return { width, height, classes, counts: new Map([...counts].sort(([a], [b]) => a - b)) };
}

function bestOf(data: Tensor['data'], from: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (data[from + k]! > data[from + best]!) best = k;
  return best;
}
