/** The task in an npm package. */

import { pictureMaker } from '../pictures/package';
import { answerOf, posesIn } from './result';
import type { Options, Result } from './types';

export const make = pictureMaker<Options, Result>((outputs, given, config, options) => {
  const { limbs, names, threshold } = config.output.points!;
  const poses = posesIn(outputs, given, config);
  return answerOf(poses, limbs, names, options.threshold ?? threshold, given.picture);
});
