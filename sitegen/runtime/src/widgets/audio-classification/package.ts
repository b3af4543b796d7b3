/** The task in an npm package. */

import { classesOf } from '../../package/classes';
import { maker } from '../../package/make';
import { scoresOf } from '../common/scores';
import { decode } from './decode';
import { tensors } from './features';
import { resampled } from './resample';
import type { Input, Options, Result } from './types';
import { readWav } from './wav';
import { cut, segments, spans, starts, type Heard } from './windows';

export const make = maker<Input, Options, Result>(async ({ config, run }) => {
  const input = config.takes.audio!;
  const { inputs, outputs } = config.model.signature;
  const tensorOf = tensors(input, inputs[0]!.dtype);
  return async (sound) => {
    const samples = await samplesOf(sound, input.rate);
    const begins = starts(samples.length, input.window, input.step);
    const times = spans(begins, input.window, samples.length);
    const heard: Heard[] = [];
    for (const [index, start] of begins.entries()) {
      const ran = await run({ [inputs[0]!.name]: tensorOf(cut(samples, start, input.window)) });
      const [from, to] = times[index]!.map((at) => at / input.rate) as [number, number];
      const scores = scoresOf(ran.outputs[outputs[0]!.name]!.data, config);
      heard.push({ from, to, scores, milliseconds: ran.milliseconds });
    }
    return {
      windows: heard.map(({ from, to, scores }) => ({ from, to, ...classesOf(scores, config) })),
      segments: segments(heard).map(({ from, to, label, score }) => ({ from, to, label, score })),
    };
  };
});

const WANTED =
  'a sound is {samples, rate}, the bytes of a WAV file, or in browsers an AudioBuffer or the file of a sound';

/** One channel at `rate`. Throws what is wrong with the sound. */
async function samplesOf(sound: Input, rate: number): Promise<Float32Array> {
  const told = waveOf(sound);
  if (told === null) return decode(sound as Blob, rate);
  if (!Number.isInteger(told.rate) || told.rate < 1) {
    throw new Error(`the rate has to be a whole number of Hz, not ${String(told.rate)}`);
  }
  if (!told.samples.length) throw new Error('there is no sound in it');
  return resampled(told.samples, told.rate, rate);
}

/** Null for files, of which browsers decode more. */
function waveOf(sound: Input): { samples: Float32Array; rate: number } | null {
  if (typeof sound !== 'object' || sound === null) throw new Error(WANTED);
  if ('samples' in sound) return { samples: Float32Array.from(sound.samples), rate: sound.rate };
  if ('getChannelData' in sound) {
    const channels = Array.from({ length: sound.numberOfChannels }, (_, c) => sound.getChannelData(c));
    const mean = channels[0]!.map(
      (_, n) => channels.reduce((sum, own) => sum + own[n]!, 0) / channels.length,
    );
    return { samples: mean, rate: sound.sampleRate };
  }
  if ('arrayBuffer' in sound) return null;
  if ('byteLength' in sound) {
    const bytes = ArrayBuffer.isView(sound) ? sound : new Uint8Array(sound);
    const wave = readWav(bytes.slice().buffer as ArrayBuffer);
    if (wave) return wave;
    throw new Error('these bytes are no WAV file with PCM or floats');
  }
  throw new Error(WANTED);
}
