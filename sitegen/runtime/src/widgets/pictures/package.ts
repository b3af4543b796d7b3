/** What packages of tasks that take a picture share. */

import type { DemoConfig, Tensors } from '../../shared/contract';
import { maker } from '../../package/make';
import { pixelsFrom } from '../../package/pictures';
import type { Picture } from '../../package/types';
import type { Given } from './demo';
import { resized, seenOf, tensorOf } from './pixels';

/** As the page's own drawings: only their ink is looked at, where the page asks for that. */
interface Drawn {
  drawn?: boolean;
}

/** `result` is pure. */
export const pictureMaker = <Options extends Drawn, Result>(
  result: (outputs: Tensors, given: Given, config: DemoConfig, options: Partial<Options>) => Result,
) =>
  maker<Picture, Options, Result>(async ({ config, run }) => async (picture, options) => {
    const { given, tensors } = await shownTo(picture, config, options.drawn ?? false);
    return result((await run(tensors)).outputs, given, config, options);
  });

async function shownTo(
  picture: Picture,
  config: DemoConfig,
  drawn: boolean,
): Promise<{ given: Given; tensors: Tensors }> {
  const input = config.input!;
  const pixels = await pixelsFrom(picture);
  const box = seenOf(pixels, input, drawn);
  if (!box) throw new Error('there is no ink in the drawing');
  const { name, dtype } = config.model.signature.inputs[0]!;
  const tensor = tensorOf(resized(pixels, box, input), input, dtype);
  return { given: { picture: pixels, box }, tensors: { [name]: tensor } };
}
