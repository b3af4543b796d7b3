/** What a package of the task takes and gives (package/types.ts). */

import type { Label, Picture } from '../../package/types';

export type Input = Picture;

export interface Options {
  /** For a drawing on white: its ink is cut out and scaled, where the page does so with drawings. */
  drawn?: boolean;
  /** The least score that is told, from 0.05 on; left out, the page's. */
  threshold?: number;
}

/** Best first, in the form of the Object Detector of IBM's Model Asset Exchange. */
export interface Result {
  status: 'ok';
  predictions: {
    label_id: string;
    label: Label;
    probability: number;
    /** In fractions of the whole picture. */
    detection_box: [ymin: number, xmin: number, ymax: number, xmax: number];
  }[];
}
