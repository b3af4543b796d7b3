/** A detector's outputs -> what is found where: rows, lists or BlazeFace's heads, in one form. */

import { overlap } from '../../shared/boxes';
import type { BoxesConfig, Column, Tensors } from '../../shared/contract';

/** A box in fractions of what the model was shown: top, left, bottom, right. */
export type Corners = [ymin: number, xmin: number, ymax: number, xmax: number];

export interface Candidate {
  class: number;
  score: number;
  box: Corners;
}

type Numbers = ArrayLike<number>;
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Every box that scores at least `least`, in the model's order; `size` is that of its input. */
export function candidates(
  outputs: Tensors,
  config: BoxesConfig,
  logits: boolean,
  size: { width: number; height: number },
  least: number,
): Candidate[] {
  const found: Candidate[] = [];
  const across = config.units === 'pixels' ? size.width : 1;
  const down = config.units === 'pixels' ? size.height : 1;
  const add = (score: number, kind: number, numbers: Numbers, from: number, x = 0, y = 0): void => {
    if (!(score >= least)) return;
    const told = (name: Column): number => numbers[from + config.columns.indexOf(name)]!;
    const [xmin, xmax] = ends('xmin', 'xmax', 'xmid', 'width', told, config.columns);
    const [ymin, ymax] = ends('ymin', 'ymax', 'ymid', 'height', told, config.columns);
    const box: Corners = [ymin / down + y, xmin / across + x, ymax / down + y, xmax / across + x];
    found.push({ class: kind - config.firstClass, score, box });
  };
  const scored = (x: number): number => (logits ? sigmoid(x) : x);
  if (config.form === 'rows') {
    const rows = outputs[config.rows]!;
    const width = rows.shape.at(-1)!;
    const [score, kind] = [config.columns.indexOf('score'), config.columns.indexOf('class')];
    for (let at = 0; at < rows.data.length; at += width) {
      add(scored(rows.data[at + score]!), kind < 0 ? 0 : rows.data[at + kind]!, rows.data, at);
    }
  } else if (config.form === 'lists') {
    const boxes = outputs[config.boxes]!.data;
    const scores = outputs[config.scores]!.data;
    const kinds = config.classes === null ? null : outputs[config.classes]!.data;
    const columns = scores.length / (boxes.length / 4);
    for (let index = 0; index < scores.length; index++) {
      const kind = kinds ? kinds[index]! : index % columns;
      add(scored(scores[index]!), kind, boxes, Math.floor(index / columns) * 4);
    }
  } else {
    for (const { boxes, scores, side, each } of config.heads) {
      const numbers = outputs[boxes]!;
      const width = numbers.shape.at(-1)!;
      outputs[scores]!.data.forEach((score, index) => {
        const [x, y] = middleOf(Math.floor(index / each), side);
        add(sigmoid(score), 0, numbers.data, index * width, x, y);
      });
    }
  }
  return found;
}

/** The middle of a cell of a grid, x and y, which its boxes are told from. */
export const middleOf = (cell: number, side: number): [number, number] => [
  ((cell % side) + 0.5) / side,
  (Math.floor(cell / side) + 0.5) / side,
];

function ends(
  low: Column,
  high: Column,
  middle: Column,
  size: Column,
  told: (name: Column) => number,
  columns: Column[],
): [number, number] {
  if (columns.includes(low)) return [told(low), told(high)];
  return [told(middle) - told(size) / 2, told(middle) + told(size) / 2];
}

/** The best boxes, `most` at most, without those that overlap a better one of their class by more than `iou`. */
export function suppressed<Box extends Candidate>(found: Box[], iou: number | null, most: number): Box[] {
  const kept: Box[] = [];
  for (const next of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.length === most) break;
    const clear = kept.every((one) => one.class !== next.class || overlap(one.box, next.box) <= (iou ?? 1));
    if (clear) kept.push(next);
  }
  return kept;
}
