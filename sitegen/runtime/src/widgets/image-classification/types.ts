/** What a package of the task takes and gives (package/types.ts). */

import type { Classes, Picture } from '../../package/types';

export type Input = Picture;

export interface Options {
  /** For a drawing on white: its ink is cut out and scaled, where the page does so with drawings. */
  drawn?: boolean;
}

export type Result = Classes;
