/** Text -> tokens -> the model's input, as Keras's TextVectorization does it in TensorFlow. */

import type { Tensor, TensorSpec, TextConfig } from '../../shared/contract';

/** The number of each token that the model knows. */
export type Vocabulary = ReadonlyMap<string, number>;

const PUNCTUATION = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~']/g;
// What C's isspace says of single bytes; TensorFlow splits at no other blanks.
const BLANKS = /[ \t\n\v\f\r]+/;
const LONE_SURROGATES = /[\ud800-\udfff]/gu;

export function vocabularyOf(file: Uint8Array): Vocabulary {
  const tokens = JSON.parse(new TextDecoder().decode(file)) as string[];
  return new Map(tokens.map((token, index) => [token, index]));
}

/** What a text is cut into. */
export function wordsOf(text: string, { standardize, split }: TextConfig): string[] {
  let plain = text.replace(LONE_SURROGATES, '\ufffd');
  // TensorFlow lowers the letters of ASCII and no others.
  if (standardize.startsWith('lower')) plain = plain.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (standardize.endsWith('strip_punctuation')) plain = plain.replace(PUNCTUATION, '');
  return split === 'character' ? Array.from(plain) : plain.split(BLANKS).filter(Boolean);
}

/** Words, and neighbours with blanks between them: all of the first number of neighbours, then all of the next. */
export function tokensOf(words: string[], { ngrams }: TextConfig): string[] {
  return ngrams.flatMap((width) =>
    Array.from({ length: Math.max(0, words.length - width + 1) }, (_, at) =>
      words.slice(at, at + width).join(' '),
    ),
  );
}

/** What stands for tokens that the model does not know; where every token is a number, 0 is for none. */
export const unknownIn = ({ mode }: TextConfig): number => (mode === 'int' ? 1 : 0);

/** The model's input: [1, length]. */
export function tensorOf(
  words: string[],
  config: TextConfig,
  vocabulary: Vocabulary,
  spec: TensorSpec,
): Tensor {
  const indices = tokensOf(words, config).map((token) => vocabulary.get(token) ?? unknownIn(config));
  const length = config.length ?? Math.max(1, indices.length);
  const data = new (spec.dtype === 'int32' ? Int32Array : Float32Array)(length);
  if (config.mode === 'int') data.set(indices.slice(0, length));
  else for (const index of indices) data[index] = config.mode === 'count' ? data[index]! + 1 : 1;
  return { dtype: spec.dtype, shape: [1, length], data };
}

/** Whether the model is given a word: in a sequence of words, those beyond its length are left out. */
export const isSeen = (at: number, { mode, length, ngrams }: TextConfig): boolean =>
  mode !== 'int' || length === null || ngrams.length > 1 || at < length;
