/** The task in an npm package. */

import { pictureMaker } from '../pictures/package';
import { answerOf, foundIn } from './result';
import type { Options, Result } from './types';

export const make = pictureMaker<Options, Result>((outputs, given, config, { threshold }) => {
  const { threshold: first, firstClass } = config.output.boxes!;
  const least = threshold ?? first;
  return answerOf(
    foundIn(outputs, given, config).filter(({ score }) => score >= least),
    firstClass,
  );
});
