/** Sound -> lines and colours. */

import type { AudioInput } from '../../shared/contract';
import { logMel, type Spectrogram } from './features';

/** The most columns that a picture of sound has: more would not be seen. */
export const COLUMNS = 600;
/** Nepers from the loudest to what is drawn black: 70 dB. */
const RANGE = 8;
/** Half the width of the line that silence is. */
const THIN = 0.01;
/** What is fainter at its loudest is not drawn as high as the loud. */
const FAINT = 0.05;
// For models that take the samples themselves.
const PLAIN = { mels: 64, low: 0, power: 1, logOffset: 1e-6 } as const;
/** From silent to loud: dark on any page, bright in the middle of a sound. */
const COLOURS = [
  [11, 16, 38],
  [54, 42, 125],
  [170, 52, 120],
  [240, 124, 74],
  [255, 240, 176],
] as const;

/** An SVG path around the samples, `columns` wide, from -1 at the top to 1: the loudest reaches one of them. */
export function waveform(samples: Float32Array, columns: number): string {
  const loudest = samples.reduce((a, b) => Math.max(a, Math.abs(b)), FAINT);
  const tops: string[] = [];
  const bottoms: string[] = [];
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * samples.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * samples.length) / columns));
    const part = samples.subarray(from, to);
    // Silence is a thin line.
    const top = part.reduce((a, b) => Math.max(a, b), THIN * loudest);
    const bottom = part.reduce((a, b) => Math.min(a, b), -THIN * loudest);
    tops.push(`${column} ${(-top / loudest).toFixed(3)}`);
    bottoms.push(`${column} ${(-bottom / loudest).toFixed(3)}`);
  }
  return `M${[...tops, ...bottoms.reverse()].join('L')}Z`;
}

/** The mel spectrogram that the model takes, or is made MFCCs of; of long sounds fewer frames. */
export function spectrogramOf(samples: Float32Array, { spectrogram, rate }: AudioInput): Spectrogram {
  const frame = spectrogram?.frame ?? Math.round(rate / 40);
  const own = spectrogram ?? { ...PLAIN, frame, hop: Math.round(frame / 2), high: rate / 2 };
  const hop = Math.max(own.hop, Math.ceil(samples.length / COLUMNS));
  return logMel({ ...own, hop }, rate)(samples);
}

/** RGBA of a spectrogram, low frequencies at the bottom. */
export function painted(values: Float32Array, width: number, height: number, power: number) {
  const pixels = new Uint8ClampedArray(4 * width * height);
  // What is hardly to be heard is not drawn as if it were loud.
  const loudest = values.reduce((a, b) => Math.max(a, b), 0);
  values.forEach((value, index) => {
    const [x, y] = [Math.floor(index / height), height - 1 - (index % height)];
    const share = Math.max(0, 1 - (loudest - value) / (RANGE * power)) * (COLOURS.length - 1);
    const below = Math.min(COLOURS.length - 2, Math.floor(share));
    const [from, to] = [COLOURS[below]!, COLOURS[below + 1]!];
    const mixed = from.map((part, c) => part + (to[c]! - part) * (share - below));
    pixels.set([...mixed, 255], 4 * (y * width + x));
  });
  return pixels;
}
