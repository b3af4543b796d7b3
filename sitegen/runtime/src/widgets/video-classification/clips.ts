/** Frames -> clips -> the input tensor, without a browser. */

import type { ClipInput, Tensor, TensorSpec } from '../../shared/contract';
import { tensorOf } from '../pictures/pixels';

// How long a film is told to be is rounded, by a millisecond or so.
const ROUNDED = 0.01;

/** How many frames a film of `seconds` gives at `fps` a second, the first at its beginning; one at least. */
export const framesIn = (seconds: number, fps: number): number =>
  Math.max(1, Math.ceil(seconds * fps - ROUNDED));

/** The first frames of the clips of a film: one every `stride`, and one that ends with the film. */
export function firstsOf(count: number, { frames, stride }: ClipInput): Set<number> {
  const last = Math.max(0, count - frames);
  const firsts = new Set([last]);
  for (let first = 0; first < last; first += stride) firsts.add(first);
  return firsts;
}

/** The newest frames, as many as a clip has. */
export class Ring {
  private frames: Float32Array[] = [];

  constructor(private readonly size: number) {}

  get filled(): number {
    return this.frames.length;
  }

  push(frame: Float32Array): void {
    this.frames.push(frame);
    if (this.frames.length > this.size) this.frames.shift();
  }

  clear(): void {
    this.frames = [];
  }

  /** The frames, oldest first; of what is shorter than a clip the last one stays to the end. */
  clip(): Float32Array[] {
    const last = this.frames.at(-1)!;
    return Array.from({ length: this.size }, (_, index) => this.frames[index] ?? last);
  }
}

/**
 * The input of a clip of frames, each height x width x channels in 0..255: [N, frames, height, width, channels], where a
 * model that takes N clips at once is given the same one N times. `mean` is subtracted at last; it is of a clip, or of
 * each of its frames.
 */
export function clipTensor(
  frames: Float32Array[],
  { frame }: ClipInput,
  mean: Float32Array | null,
  { shape }: TensorSpec,
): Tensor {
  const each = frame.height * frame.width * frame.channels;
  const size = frames.length * each;
  const times = Math.max(1, shape[0]!);
  const data = new Float32Array(times * size);
  frames.forEach((values, index) => data.set(tensorOf(values, frame, 'float32').data, index * each));
  if (mean) for (let i = 0; i < size; i++) data[i]! -= mean[i % mean.length]!;
  for (let time = 1; time < times; time++) data.copyWithin(time * size, 0, size);
  const sizes = [times, frames.length, frame.height, frame.width, frame.channels];
  return { dtype: 'float32', shape: sizes, data };
}
