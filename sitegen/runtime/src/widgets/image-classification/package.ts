/** The task in an npm package. */

import { classesOf } from '../../package/classes';
import { scoresOf } from '../common/scores';
import { pictureMaker } from '../pictures/package';
import type { Options, Result } from './types';

export const make = pictureMaker<Options, Result>((outputs, _, config) =>
  classesOf(scoresOf(outputs[config.model.signature.outputs[0]!.name]!.data, config), config),
);
