/**
 * Sound -> what models take: the samples themselves, log-mel spectrograms, or MFCCs. The arithmetic is tf.signal's (stft,
 * linear_to_mel_weight_matrix, mfccs_from_log_mel_spectrograms), in double precision.
 */

import type { AudioInput, DType, SpectrogramConfig, Tensor } from '../../shared/contract';
import { fourier } from './fourier';

/** `values` is [frames, bins], the lowest frequency first in each frame. */
export interface Spectrogram {
  frames: number;
  bins: number;
  values: Float32Array;
}

/** Samples at `rate` Hz -> ln(mel + logOffset), [frames, mels]; sound that is shorter than a frame has none. */
export function logMel(config: SpectrogramConfig, rate: number): (samples: Float32Array) => Spectrogram {
  const { frame, hop, mels, power, logOffset } = config;
  const size = 2 ** Math.ceil(Math.log2(frame));
  const window = hann(frame);
  const bands = triangles(config, size / 2 + 1, rate);
  const transform = fourier(size);
  return (samples) => {
    const frames = Math.max(0, 1 + Math.floor((samples.length - frame) / hop));
    const values = new Float32Array(frames * mels);
    const windowed = new Float64Array(frame);
    for (let index = 0; index < frames; index++) {
      for (let n = 0; n < frame; n++) windowed[n] = samples[index * hop + n]! * window[n]!;
      const spectrum = transform(windowed);
      bands.forEach(({ start, weights }, mel) => {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * spectrum[start + k]! ** power;
        values[index * mels + mel] = Math.log(sum + logOffset);
      });
    }
    return { frames, bins: mels, values };
  };
}

/** A periodic Hann window as tf.signal.hann_window has it: where the length is odd, that is the symmetric one. */
function hann(length: number): Float64Array {
  const period = length - (length % 2);
  return Float64Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / period));
}

/** The mel scale of HTK: 1127 ln(1 + f / 700). */
const melOf = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);

/** For each mel band, the first bin of the spectrum that it takes something of, and how much of each from there. */
function triangles({ mels, low, high }: SpectrogramConfig, bins: number, rate: number) {
  const [first, last] = [melOf(low), melOf(high)];
  const edge = (index: number): number => first + ((last - first) * index) / (mels + 1);
  return Array.from({ length: mels }, (_, mel) => {
    const [lower, center, upper] = [edge(mel), edge(mel + 1), edge(mel + 2)];
    let start = 0;
    const weights: number[] = [];
    // The first bin, which is no frequency, counts nowhere.
    for (let k = 1; k < bins; k++) {
      const at = melOf((k * rate) / (2 * (bins - 1)));
      const weight = Math.min((at - lower) / (center - lower), (upper - at) / (upper - center));
      if (weight <= 0) continue;
      if (!weights.length) start = k;
      weights.push(weight);
    }
    return { start, weights };
  });
}

/** The first `count` MFCCs of each frame: the DCT-II of log-mel energies, times 1 / sqrt(2 mels) as in HTK. */
export function mfcc({ frames, bins, values }: Spectrogram, count: number): Spectrogram {
  const cosines = Array.from({ length: count }, (_, k) =>
    Float64Array.from({ length: bins }, (_, n) => 2 * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * bins))),
  );
  const result = new Float32Array(frames * count);
  for (let index = 0; index < frames; index++) {
    cosines.forEach((cosine, k) => {
      let sum = 0;
      for (let n = 0; n < bins; n++) sum += cosine[n]! * values[index * bins + n]!;
      result[index * count + k] = sum / Math.sqrt(2 * bins);
    });
  }
  return { frames, bins: count, values: result };
}

/** Gives what turns a window of sound, `input.window` samples at `input.rate`, into the input tensor. */
export function tensors(input: AudioInput, dtype: DType): (window: Float32Array) => Tensor {
  const spectrogram = input.spectrogram && logMel(input.spectrogram, input.rate);
  return (window) => {
    const scaled = input.normalize === 'max' ? toMaximum(window) : window;
    let data = scaled;
    if (spectrogram) {
      const mels = spectrogram(scaled);
      data = (input.coefficients === null ? mels : mfcc(mels, input.coefficients)).values;
    }
    return { dtype, shape: input.shape, data };
  };
}

/** Divided by the largest sample, which becomes 1; silence stays as it is. */
function toMaximum(window: Float32Array): Float32Array {
  const most = window.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? window.map((sample) => sample / most) : window;
}
