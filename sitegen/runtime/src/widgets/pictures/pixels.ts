/**
 * Pictures -> the input tensor. All arithmetic is done here and not by the canvas, whose resizing differs from browser
 * to browser: a page gives the numbers that Python gives.
 */

import type { ImageInput, Tensor } from '../../shared/contract';

/** A picture's pixels: RGBA, 0..255, opaque. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** Part of a picture in its own pixels; it may reach beyond the edges, where all is as bright as `pad`: white, else. */
export interface Box {
  pad?: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

// Decoding more than this only costs memory; models see a few hundred pixels a side.
const MOST_PIXELS = 1 << 24;

/** The pixels of a decoded picture, on white. */
export function pixelsOf(source: CanvasImageSource, width: number, height: number): Pixels {
  const shrink = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * shrink));
  canvas.height = Math.max(1, Math.round(height * shrink));
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The part of a picture that the model sees. */
export function boxFor(picture: Pixels, input: ImageInput): Box {
  const { left, top, width, height } = fitted(picture, input);
  const cut = (1 - input.crop) / 2;
  return {
    pad: input.pad,
    left: left + cut * width,
    top: top + cut * height,
    width: width * input.crop,
    height: height * input.crop,
  };
}

/** What `resize` makes fill the input's shape. */
function fitted({ width, height }: Pixels, input: ImageInput): Box {
  const ratio = input.width / input.height;
  if (input.resize === 'whole-crop') return inWhole(width, height, input);
  if (input.resize === 'stretch' || width === height * ratio) return { left: 0, top: 0, width, height };
  const wide = width > height * ratio;
  if (wide === (input.resize === 'center-crop')) {
    const cut = height * ratio;
    return { left: (width - cut) / 2, top: 0, width: cut, height };
  }
  const cut = width / ratio;
  return { left: 0, top: (height - cut) / 2, width, height: cut };
}

/**
 * The middle, in whole pixels of the picture as it is scaled: one side is the input's, the other the next whole number, and
 * the middle begins at a pixel.
 */
function inWhole(width: number, height: number, input: ImageInput): Box {
  const wide = width / input.width > height / input.height;
  const scale = wide ? input.height / height : input.width / width;
  const right = wide ? Math.floor(width * scale + 1) : input.width;
  const bottom = wide ? input.height : Math.floor(height * scale + 1);
  return {
    left: (Math.floor((right - input.width) / 2) * width) / right,
    top: (Math.floor((bottom - input.height) / 2) * height) / bottom,
    width: (input.width * width) / right,
    height: (input.height * height) / bottom,
  };
}

/** The box of a drawing's dark ink, grown so that the ink's longer side fills `fit` of the input; null on a blank one. */
export function inkBox(picture: Pixels, input: ImageInput, fit: number): Box | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      if (picture.data[(y * picture.width + x) * 4]! < 128) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    }
  }
  if (right < 0) return null;
  const unit = Math.max((right + 1 - left) / input.width, (bottom + 1 - top) / input.height) / fit;
  const width = unit * input.width;
  const height = unit * input.height;
  return { left: (left + right + 1 - width) / 2, top: (top + bottom + 1 - height) / 2, width, height };
}

/**
 * The part that the model is shown: of a drawing its ink, where the page asks for that. Null where a drawing has none.
 */
export function seenOf(picture: Pixels, input: ImageInput, drawn: boolean): Box | null {
  const fit = drawn ? input.draw.fit : null;
  return fit === null ? boxFor(picture, input) : inkBox(picture, input, fit);
}

/** One output position of a resize along one axis: where its window starts, and the weights in it (sum 1). */
interface Window {
  start: number;
  weights: Float64Array;
}

/**
 * Triangle filter with half-pixel centres, widened when shrinking: what Pillow calls BILINEAR and TensorFlow
 * `resize(antialias=True)`; without `antialias`, OpenCV's INTER_LINEAR. `start` and `size` say which part of the axis is
 * resized, in pixels; windows are clipped to 0..`edge` and their rest is weighed anew, as Pillow does, unless it is null.
 */
function windows(
  start: number,
  size: number,
  count: number,
  edge: number | null,
  antialias: boolean,
): Window[] {
  const scale = size / count;
  const reach = antialias ? Math.max(scale, 1) : 1;
  return Array.from({ length: count }, (_, index) => {
    const center = start + (index + 0.5) * scale;
    const first = Math.max(Math.floor(center - reach + 0.5), edge === null ? -Infinity : 0);
    const last = Math.min(Math.floor(center + reach + 0.5), edge ?? Infinity);
    const weights = new Float64Array(last - first);
    for (let i = 0; i < weights.length; i++) {
      weights[i] = Math.max(0, 1 - Math.abs(first + i + 0.5 - center) / reach);
    }
    const sum = weights.reduce((a, b) => a + b, 0);
    return { start: first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resizes part of a picture; gives height x width x channels values in 0..255, grey by Rec. 601 luma. */
export function resized(picture: Pixels, box: Box, input: ImageInput): Float32Array {
  const { width, height, channels } = input;
  const inside = box.left >= 0 && box.top >= 0;
  const within = inside && box.left + box.width <= picture.width && box.top + box.height <= picture.height;
  const columns = windows(box.left, box.width, width, within ? picture.width : null, input.antialias);
  const rows = windows(box.top, box.height, height, within ? picture.height : null, input.antialias);
  const firstRow = rows[0]!.start;
  const lastRow = rows[height - 1]!.start + rows[height - 1]!.weights.length;
  const firstColumn = columns[0]!.start;
  const lastColumn = columns[width - 1]!.start + columns[width - 1]!.weights.length;
  const line = new Float32Array((lastColumn - firstColumn) * channels);
  const between = new Float32Array((lastRow - firstRow) * width * channels);
  for (let y = firstRow, to = 0; y < lastRow; y++) {
    read(picture, y, firstColumn, line, channels, box.pad ?? 255);
    for (let x = 0; x < width; x++, to += channels) {
      const { start, weights } = columns[x]!;
      for (let i = 0, from = (start - firstColumn) * channels; i < weights.length; i++) {
        const weight = weights[i]!;
        for (let c = 0; c < channels; c++) between[to + c]! += weight * line[from++]!;
      }
    }
  }
  const result = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const { start, weights } = rows[y]!;
    for (let i = 0; i < weights.length; i++) {
      const from = (start + i - firstRow) * width * channels;
      const weight = weights[i]!;
      for (let k = 0; k < width * channels; k++)
        result[y * width * channels + k]! += weight * between[from + k]!;
    }
  }
  return result;
}

/** Part of a row, from column `first` on; beyond the picture all is as bright as `pad`. */
function read(
  { width, height, data }: Pixels,
  y: number,
  first: number,
  line: Float32Array,
  channels: 1 | 3,
  pad: number,
) {
  line.fill(pad);
  if (y < 0 || y >= height) return;
  const last = Math.min(width, first + line.length / channels);
  for (let x = Math.max(0, first); x < last; x++) {
    const from = (y * width + x) * 4;
    const to = (x - first) * channels;
    const [r, g, b] = [data[from]!, data[from + 1]!, data[from + 2]!];
    if (channels === 1) line[to] = 0.299 * r + 0.587 * g + 0.114 * b;
    else {
      line[to] = r;
      line[to + 1] = g;
      line[to + 2] = b;
    }
  }
}

/** The input tensor, [1, height, width, channels]: y = (x * scale - mean[c]) / std[c]; rounded for whole numbers. */
export function tensorOf(values: Float32Array, input: ImageInput, dtype: Tensor['dtype']): Tensor {
  const { channels, scale, mean, std, invert } = input;
  const data = dtype === 'int32' ? new Int32Array(values.length) : new Float32Array(values.length);
  for (let i = 0; i < data.length; i++) {
    const shown = invert ? 255 - values[i]! : values[i]!;
    const value = (shown * scale - mean[i % channels]!) / std[i % channels]!;
    data[i] = dtype === 'int32' ? Math.round(value) : value;
  }
  return { dtype, shape: [1, input.height, input.width, channels], data };
}
