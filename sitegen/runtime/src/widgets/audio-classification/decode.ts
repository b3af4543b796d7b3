/** Sound files -> samples at the model's rate, one channel. */

import { resampled } from './resample';
import { readWav } from './wav';

/** Seconds of a file that are listened to: more would take memory that phones do not have. */
export const LONGEST = 600;

/** Throws a sentence for the visitor when the file is no sound that this browser can play. */
export async function decode(file: Blob, rate: number): Promise<Float32Array> {
  const bytes = await file.arrayBuffer();
  const wave = readWav(bytes);
  const samples = wave
    ? resampled(wave.samples.subarray(0, LONGEST * wave.rate), wave.rate, rate)
    : (await decoded(bytes, rate)).subarray(0, LONGEST * rate);
  if (!samples.length) throw new Error('There is no sound in this file.');
  return samples;
}

/** By the browser's decoder, which resamples what it decodes to the rate of its context. */
async function decoded(bytes: ArrayBuffer, rate: number): Promise<Float32Array> {
  let buffer;
  try {
    buffer = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes);
  } catch {
    throw new Error('This file is no sound that your browser can play.');
  }
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) => buffer.getChannelData(c));
  return channels[0]!.map(
    (_, n) => channels.reduce((sum, channel) => sum + channel[n]!, 0) / channels.length,
  );
}
