/** What a package of the task takes and gives (package/types.ts). */

import type { Label, Picture } from '../../package/types';

/** The frames of a film, as many a second as the page says (README), one after the other. */
export type Input = Iterable<Picture> | AsyncIterable<Picture>;

export interface Options {}

export interface ClipTold {
  /** In seconds from the beginning. */
  start: number;
  end: number;
  /** The best classes, best first. */
  predictions: { label_id: string; label: Label; probability: number }[];
}

/** In the manner of the Sports Video Classifier of IBM's Model Asset Exchange, and what is seen when. */
export interface Result {
  status: 'ok';
  clips: ClipTold[];
  /** Each moment is of the clip whose middle is nearest. */
  segments: { start: number; end: number; label: Label; score: number }[];
}
