/** What a package of the task takes and gives (package/types.ts). */

import type { Label, Picture } from '../../package/types';

export type Input = Picture;

export interface Options {
  /** For a drawing on white: its ink is cut out and scaled, where the page does so with drawings. */
  drawn?: boolean;
}

export interface Result {
  /** The mask's: it lies over the part of the picture that the model is shown. */
  width: number;
  height: number;
  /** That part, in pixels of the picture; it may reach beyond its edges. */
  box: { left: number; top: number; width: number; height: number };
  /** The class of every cell, row by row. */
  mask: Int32Array;
  /** Which share of the picture each class has that is in it. */
  shares: { index: number; label: Label; share: number }[];
}
