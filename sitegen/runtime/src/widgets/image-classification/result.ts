/** A classifier's outputs -> named scores, those of groups of classes, and a map of what speaks for the best class. */

import type { DemoConfig, Tensor, Tensors } from '../../shared/contract';
import { best, scoresOf, type Score } from '../common/scores';

/** Numbers from 0 to 1, row by row: how much each place speaks for a class, next to the others. */
export interface Heat {
  width: number;
  height: number;
  values: Float32Array;
}

export interface Found {
  scores: Score[];
  heat: Heat | null;
}

export function foundIn(outputs: Tensors, config: DemoConfig): Found {
  const scores = scoresOf(outputs[config.model.signature.outputs[0]!.name]!.data, config);
  const maps = config.output.heatmap;
  return { scores, heat: maps ? heatOf(outputs[maps]!, best(scores).index) : null };
}

/** The map of one class, of [1, height, width, classes]: the least of it becomes 0, and the most 1. */
export function heatOf({ shape, data }: Tensor, kind: number): Heat {
  const [, height, width, classes] = shape as [number, number, number, number];
  // Of one score for two classes, what speaks for the first speaks against the second.
  const [index, sign] = classes === 1 ? [0, kind === 0 ? -1 : 1] : [kind, 1];
  const values = new Float32Array(height * width).map((_, cell) => sign * data[cell * classes + index]!);
  const least = values.reduce((a, b) => Math.min(a, b));
  const range = values.reduce((a, b) => Math.max(a, b)) - least;
  return { width, height, values: values.map((value) => (range > 0 ? (value - least) / range : 0)) };
}

/** The sums of the scores of each group's classes. */
export function grouped(scores: Score[], { names, of }: { names: string[]; of: number[] }): Score[] {
  const sums = names.map((label, index) => ({ index, label, value: 0 }));
  for (const { index, value } of scores) sums[of[index]!]!.value += value;
  return sums;
}

/** Where the most of a map is, in words. */
export function whereMost({ width, height, values }: Heat): string {
  const cell = values.indexOf(values.reduce((a, b) => Math.max(a, b)));
  const third = (at: number, count: number): number => Math.floor((3 * (at + 0.5)) / count);
  const row = ['top', '', 'bottom'][third(Math.floor(cell / width), height)]!;
  const column = ['left', '', 'right'][third(cell % width, width)]!;
  return [row, column].filter(Boolean).join(' ') || 'middle';
}
