/** The task in an npm package. */

import { labelOf } from '../common/labels';
import { pictureMaker } from '../pictures/package';
import { segmentsOf } from './result';
import type { Options, Result } from './types';

export const make = pictureMaker<Options, Result>((outputs, given, { model, output, labels }) => {
  const map = outputs[model.signature.outputs[0]!.name]!;
  const { width, height, classes, shares } = segmentsOf(map, output.activation, given);
  const told = [...shares].map(([index, share]) => ({ index, label: labelOf(labels, index), share }));
  return { width, height, box: given.box, mask: classes, shares: told };
});
