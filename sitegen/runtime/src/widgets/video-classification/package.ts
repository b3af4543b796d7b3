/** The task in an npm package. */

import { maker } from '../../package/make';
import { pixelsFrom } from '../../package/pictures';
import { scoresOf } from '../common/scores';
import { boxFor, resized } from '../pictures/pixels';
import { clipTensor, Ring } from './clips';
import { segmentsOf, toldOf, type Seen } from './line';
import { meanOf } from './look';
import type { Input, Options, Result } from './types';

export const make = maker<Input, Options, Result>(async (host) => {
  const { config, run } = host;
  const clip = config.takes.clip!;
  const { inputs, outputs } = config.model.signature;
  const mean = await meanOf(host);

  const look = async (frames: Float32Array[], first: number, end: number): Promise<Seen> => {
    const ran = await run({ [inputs[0]!.name]: clipTensor(frames, clip, mean, inputs[0]!) });
    const { data, shape } = ran.outputs[outputs[0]!.name]!;
    const scores = scoresOf(data.subarray(0, shape.at(-1)), config);
    return { start: first / clip.fps, end: end / clip.fps, scores, milliseconds: ran.milliseconds };
  };

  return async (film) => {
    const ring = new Ring(clip.frames);
    const clips: Seen[] = [];
    let count = 0;
    const seen = (): Promise<Seen> => look(ring.clip(), Math.max(0, count - clip.frames), count);
    let last = 0;
    for await (const picture of film) {
      const pixels = await pixelsFrom(picture);
      ring.push(resized(pixels, boxFor(pixels, clip.frame), clip.frame));
      count += 1;
      if (count < clip.frames || (count - clip.frames) % clip.stride) continue;
      clips.push(await seen());
      last = count;
    }
    if (!count) throw new Error('the film has no frames');
    // One clip ends with the film.
    if (last !== count) clips.push(await seen());
    const segments = segmentsOf(clips).map(({ start, end, label, score }) => ({ start, end, label, score }));
    return { status: 'ok', clips: toldOf(clips, config.output.topK!), segments };
  };
});
