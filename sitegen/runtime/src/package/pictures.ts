/** Whatever has a picture in it -> its pixels. */

import { decode } from '../widgets/pictures/decode';
import { pixelsOf, type Pixels } from '../widgets/pictures/pixels';
import type { FileLike, Picture, PixelData } from './types';

const WANTED =
  'a picture is {data, width, height}, or in browsers an element, a canvas, an ImageBitmap or a file';

/** Throws what is wrong with it. */
export async function pixelsFrom(picture: Picture): Promise<Pixels> {
  const given = picture as unknown;
  if (typeof given !== 'object' || given === null) throw new Error(`${WANTED}, and not ${told(given)}`);
  if ('data' in given) return opaque(given as PixelData);
  if (typeof document === 'undefined') throw new Error(`here, a picture is {data, width, height}`);
  if ('arrayBuffer' in given) return decode(given as FileLike as Blob);
  const [width, height] = sizeOf(given as Record<string, number>);
  if (!(width > 0 && height > 0)) throw new Error(`the picture has no pixels yet, or none at all: ${WANTED}`);
  return pixelsOf(given as CanvasImageSource, width, height);
}

function sizeOf(given: Record<string, number | undefined>): [number, number] {
  return [
    given.naturalWidth ?? given.videoWidth ?? given.width ?? 0,
    given.naturalHeight ?? given.videoHeight ?? given.height ?? 0,
  ];
}

/** RGBA on white, as the canvas of a page has it. */
function opaque({ data, width, height, channels }: PixelData): Pixels {
  if (typeof data?.length !== 'number')
    throw new Error(`data has to be an array of pixels, not ${told(data)}`);
  for (const [name, size] of Object.entries({ width, height })) {
    if (!Number.isInteger(size) || size < 1)
      throw new Error(`${name} has to be a whole number from 1 on, not ${String(size)}`);
  }
  const each = channels ?? data.length / (width * height);
  if (![1, 3, 4].includes(each) || data.length !== width * height * each) {
    const needs = channels ? `${width} × ${height} × ${channels}` : `1, 3 or 4 times ${width} × ${height}`;
    throw new Error(`data has ${data.length} numbers, and should have ${needs}`);
  }
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; to < pixels.length; from += each, to += 4) {
    const alpha = each === 4 ? data[from + 3]! / 255 : 1;
    for (let c = 0; c < 3; c++) {
      pixels[to + c] = data[from + (each === 1 ? 0 : c)]! * alpha + 255 * (1 - alpha);
    }
    pixels[to + 3] = 255;
  }
  return { width, height, data: pixels };
}

const told = (value: unknown): string => (value === null ? 'null' : `a ${typeof value}`);
