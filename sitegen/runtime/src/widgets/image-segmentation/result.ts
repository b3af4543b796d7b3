/** A map of scores -> the class of every cell. */

import type { OutputConfig, Tensor } from '../../shared/contract';
import type { Given } from '../pictures/demo';

export interface Segments {
  width: number;
  height: number;
  /** The class of every cell, row by row. */
  classes: Int32Array;
  /** Which share of the picture each class has that is in it, by class. */
  shares: Map<number, number>;
}

/**
 * Of [1, height, width, classes], the best class of each cell, the first of equals; of [1, height, width] and
 * [1, height, width, 1], whole numbers are classes, and others 1 from a half on.
 */
export function segmentsOf(
  { shape, data, dtype }: Tensor,
  activation: OutputConfig['activation'] | undefined,
  { picture, box }: Given,
): Segments {
  const [, height, width, depth = 1] = shape as [number, number, number, number?];
  const classes = new Int32Array(height * width);
  // A sigmoid is a half where its logit is nothing.
  const half = activation === 'sigmoid' ? 0 : 0.5;
  for (let cell = 0; cell < classes.length; cell++) {
    if (depth > 1) classes[cell] = bestOf(data, cell * depth, depth);
    else classes[cell] = dtype === 'int32' ? data[cell]! : Number(data[cell]! >= half);
  }
  // Cells that lie in the picture; the model may have been shown paper around it.
  const counts = new Map<number, number>();
  let all = 0;
  for (let row = 0; row < height; row++) {
    const y = box.top + ((row + 0.5) / height) * box.height;
    if (y < 0 || y > picture.height) continue;
    for (let column = 0; column < width; column++) {
      const x = box.left + ((column + 0.5) / width) * box.width;
      if (x < 0 || x > picture.width) continue;
      const kind = classes[row * width + column]!;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      all++;
    }
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return { width, height, classes, shares: new Map(sorted.map(([kind, count]) => [kind, count / all])) };
}

function bestOf(data: Tensor['data'], from: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if (data[from + k]! > data[from + best]!) best = k;
  return best;
}
