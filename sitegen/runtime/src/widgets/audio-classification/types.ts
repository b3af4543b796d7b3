/** What a package of the task takes and gives (package/types.ts). */

import type { Classes, FileLike, Label } from '../../package/types';

/**
 * Samples, -1 to 1, and how many there are a second; the bytes of a WAV file; or in browsers an AudioBuffer, or the file of
 * a sound.
 */
export type Input =
  | { samples: ArrayLike<number>; rate: number }
  | ArrayBuffer
  | Uint8Array
  | {
      readonly sampleRate: number;
      readonly numberOfChannels: number;
      getChannelData(channel: number): Float32Array;
    }
  | FileLike;

export interface Options {}

/** Times are in seconds from the beginning. */
export interface Result {
  /** What the model hears at once, and from when to when that counts. */
  windows: (Classes & { from: number; to: number })[];
  /** Neighbours with the same best class. */
  segments: { from: number; to: number; label: Label; score: number }[];
}
