/** Poses in terms of the picture and of the names of their points; and as others' services tell them. */

import type { DemoConfig, Tensors } from '../../shared/contract';
import type { Given } from '../pictures/demo';
import { posesOf, type Pose } from './points';
import type { Line, Result } from './types';

/** All poses, their points in fractions of the whole picture. */
export function posesIn(outputs: Tensors, { picture, box }: Given, config: DemoConfig): Pose[] {
  const logits = config.output.activation === 'sigmoid';
  return posesOf(outputs, config.output.points!, logits, config.input!).map(({ score, points }) => ({
    score,
    points: points.map((point) => ({
      x: (box.left + point.x * box.width) / picture.width,
      y: (box.top + point.y * box.height) / picture.height,
      score: point.score,
    })),
  }));
}

export const nameOf = (names: string[], index: number): string => names[index] ?? `Point ${index}`;

/** Whether a point is in the picture, and scores enough. */
export const isSeen = ({ x, y, score }: Pose['points'][number], threshold: number): boolean =>
  score >= threshold && x >= 0 && x <= 1 && y >= 0 && y <= 1;

/**
 * What is seen, in pixels of the picture, in the manner of the Human Pose Estimator of IBM's Model Asset Exchange: a line is
 * x and y of its two ends.
 */
export function answerOf(
  poses: Pose[],
  limbs: [number, number][],
  names: string[],
  threshold: number,
  { width, height }: { width: number; height: number },
): Result {
  const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
  const place = ({ x, y }: { x: number; y: number }): [number, number] => [
    rounded(x * width, 2),
    rounded(y * height, 2),
  ];
  const predictions = poses.map(({ points }, human) => ({
    human_id: human,
    pose_lines: limbs
      .map((limb) => limb.map((end) => points[end]!))
      .filter((ends) => ends.every((end) => isSeen(end, threshold)))
      .map((ends) => ({ line: ends.flatMap(place) as Line })),
    body_parts: points.flatMap((point, index) => {
      if (!isSeen(point, threshold)) return [];
      const [x, y] = place(point);
      return [{ part_id: index, part_name: nameOf(names, index), score: rounded(point.score, 6), x, y }];
    }),
  }));
  return { status: 'ok', predictions };
}

export function asJson(...given: Parameters<typeof answerOf>): string {
  const text = JSON.stringify(answerOf(...given), null, 1);
  // A line or a part on one line.
  return text.replace(
    /([[{])\s+([^[\]{}]+?)\s+([\]}])/g,
    (_, open: string, inner: string, close: string) => open + inner.replace(/\s+/g, ' ') + close,
  );
}
