/** The task in an npm package. */

import { classesOf } from '../../package/classes';
import { maker } from '../../package/make';
import { scoresOf } from '../common/scores';
import type { Input, Options, Result } from './types';
import { tensorOf, vocabularyOf, wordsOf } from './vectorize';

export const make = maker<Input, Options, Result>(async ({ config, run, file }) => {
  const vocabulary = vocabularyOf(await file('Vocabulary'));
  const text = config.takes.text!;
  const { inputs, outputs } = config.model.signature;
  return async (given) => {
    if (typeof given !== 'string') throw new Error(`the input is a text, and not a ${typeof given}`);
    const words = wordsOf(given, text);
    if (!words.length) throw new Error('there is no word in the text');
    const ran = await run({ [inputs[0]!.name]: tensorOf(words, text, vocabulary, inputs[0]!) });
    return classesOf(scoresOf(ran.outputs[outputs[0]!.name]!.data, config), config);
  };
});
