/** A model's outputs -> poses: rows of numbers, maps, or BlazeFace's heads, in one form. */

import type { PointsConfig, Tensor, Tensors } from '../../shared/contract';
import { middleOf, suppressed, type Candidate } from '../object-detection/boxes';

/** A key point in fractions of what the model was shown. */
export interface Point {
  x: number;
  y: number;
  score: number;
}

/** The key points of one body or face, in the model's order. */
export interface Pose {
  score: number;
  points: Point[];
}

// Of faces: the least score of one, the overlap beyond which two are one, and the most that are told.
const [LEAST, SAME, MOST] = [0.5, 0.3, 20];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Every pose; `size` is that of the model's input. */
export function posesOf(
  outputs: Tensors,
  config: PointsConfig,
  logits: boolean,
  size: { width: number; height: number },
): Pose[] {
  const scored = (x: number): number => (logits ? sigmoid(x) : x);
  if (config.form === 'blazeface') return faces(outputs, config.heads, size);
  const output = outputs[config.points]!;
  if (config.form === 'maps') return [posed(peaks(output, config.count, scored))];
  const { columns, count } = config;
  const [x, y, score] = [columns.indexOf('x'), columns.indexOf('y'), columns.indexOf('score')];
  const across = config.units === 'pixels' ? size.width : 1;
  const down = config.units === 'pixels' ? size.height : 1;
  const poses: Pose[] = [];
  for (let from = 0; from < output.data.length; from += count * columns.length) {
    const points = Array.from({ length: count }, (_, index) => {
      const at = from + index * columns.length;
      const sure = score < 0 ? 1 : scored(output.data[at + score]!);
      return { x: output.data[at + x]! / across, y: output.data[at + y]! / down, score: sure };
    });
    poses.push(posed(points));
  }
  return poses;
}

/** A pose is as sure as its points are in the middle. */
const posed = (points: Point[]): Pose => ({
  score: points.reduce((sum, point) => sum + point.score, 0) / points.length,
  points,
});

/**
 * The highest place of each map of [1, height, width, points], in the middle of its cell, moved a quarter of a cell towards
 * the higher of its neighbours in each direction: Newell et al., "Stacked Hourglass Networks", 2016, as Xiao et al., "Simple
 * Baselines for Human Pose Estimation", 2018, compute it.
 */
function peaks({ data, shape }: Tensor, count: number, scored: (x: number) => number): Point[] {
  const [, height, width] = shape as [number, number, number, number];
  return Array.from({ length: count }, (_, point) => {
    const value = (row: number, column: number): number => data[(row * width + column) * count + point]!;
    let [top, left] = [0, 0];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        if (value(row, column) > value(top, left)) [top, left] = [row, column];
      }
    }
    const inside = (at: number, size: number): boolean => at > 0 && at < size - 1;
    const right = inside(left, width) ? Math.sign(value(top, left + 1) - value(top, left - 1)) / 4 : 0;
    const lower = inside(top, height) ? Math.sign(value(top + 1, left) - value(top - 1, left)) / 4 : 0;
    const score = scored(value(top, left));
    return { x: (left + right + 0.5) / width, y: (top + lower + 0.5) / height, score };
  });
}

type Heads = Extract<PointsConfig, { form: 'blazeface' }>['heads'];

/** BlazeFace: of each box its middle, its size, and six points, all in pixels from the middle of the box's cell. */
function faces(outputs: Tensors, heads: Heads, size: { width: number; height: number }): Pose[] {
  const found: (Candidate & Pose)[] = [];
  for (const { boxes, scores, side, each } of heads) {
    const { data, shape } = outputs[boxes]!;
    const columns = shape.at(-1)!;
    outputs[scores]!.data.forEach((logit, index) => {
      const score = sigmoid(logit);
      if (score < LEAST) return;
      const [x, y] = middleOf(Math.floor(index / each), side);
      const told = (column: number): number =>
        data[index * columns + column]! / (column % 2 ? size.height : size.width);
      const [left, top] = [x + told(0) - told(2) / 2, y + told(1) - told(3) / 2];
      const points = Array.from({ length: (columns - 4) / 2 }, (_, point) => ({
        x: x + told(4 + 2 * point),
        y: y + told(5 + 2 * point),
        score,
      }));
      found.push({ class: 0, score, box: [top, left, top + told(3), left + told(2)], points });
    });
  }
  return suppressed(found, SAME, MOST).map(({ score, points }) => ({ score, points }));
}
