/** The inputs that a page is proven with, made by the rule that sitegen/proof.py has too: none are shipped. */

import type { ImageInput, Tensor, Tensors, TensorSpec } from './contract';

// A picture is this many coloured boxes high and wide.
const CELLS = 8;

/** The high bytes of a linear congruential generator modulo 2^32. */
function bytesFrom(seed: number): (count: number) => Uint8Array {
  let state = seed;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
}

/** One tensor for each input; of a task with pictures, `image` is what becomes of their numbers. */
export function given(
  specs: TensorSpec[],
  shapes: Record<string, number[]>,
  image: ImageInput | null,
  seed: number,
): Tensors {
  const take = bytesFrom(seed);
  return Object.fromEntries(specs.map((spec) => [spec.name, made(spec, shapes[spec.name]!, image, take)]));
}

function made(
  { dtype }: TensorSpec,
  shape: number[],
  image: ImageInput | null,
  take: (count: number) => Uint8Array,
): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  if (dtype === 'int32') return { dtype, shape, data: Int32Array.from(take(count), (byte) => byte & 1) };
  if (dtype === 'bool') return { dtype, shape, data: take(count).map((byte) => byte & 1) };
  if (!image) return { dtype, shape, data: Float32Array.from(take(count), (byte) => byte / 255) };
  return { dtype, shape, data: picture(shape, image, take) };
}

function picture(shape: number[], image: ImageInput, take: (count: number) => Uint8Array): Float32Array {
  const [, height, width, channels] = shape as [number, number, number, number];
  const boxes = take(CELLS * CELLS * channels);
  return Float32Array.from(take(height * width * channels), (noise, i) => {
    const [y, x, c] = [
      Math.floor(i / channels / width),
      Math.floor(i / channels) % width,
      i % channels,
    ] as const;
    const [row, column] = [Math.floor((y * CELLS) / height), Math.floor((x * CELLS) / width)];
    const pixel = (3 * boxes[(row * CELLS + column) * channels + c]! + noise) >> 2;
    return ((image.invert ? 255 - pixel : pixel) * image.scale - image.mean[c]!) / image.std[c]!;
  });
}
