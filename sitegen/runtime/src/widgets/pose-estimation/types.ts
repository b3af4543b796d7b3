/** What a package of the task takes and gives (package/types.ts). */

import type { Label, Picture } from '../../package/types';

export type Input = Picture;

export interface Options {
  /** For a drawing on white: its ink is cut out and scaled, where the page does so with drawings. */
  drawn?: boolean;
  /** The least score of a point that is told; left out, the page's. */
  threshold?: number;
}

/** The two ends of a limb, in pixels of the picture. */
export type Line = [x1: number, y1: number, x2: number, y2: number];

/** In the manner of the Human Pose Estimator of IBM's Model Asset Exchange. */
export interface Result {
  status: 'ok';
  predictions: {
    human_id: number;
    pose_lines: { line: Line }[];
    /** Places are in pixels of the picture. */
    body_parts: { part_id: number; part_name: Label; score: number; x: number; y: number }[];
  }[];
}
