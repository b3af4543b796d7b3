/** The text as the model sees it: its words, which of them it does not know, and which the answer hangs on. */

import type { TextConfig } from '../../shared/contract';
import { isSeen, unknownIn, type Vocabulary } from './vectorize';

const SHOWN = 400;

interface WordsProps {
  words: string[];
  config: TextConfig;
  vocabulary: Vocabulary;
  /** By how much the score falls without each word, or null where that was not asked for. */
  weights: number[] | null;
}

export function Words({ words, config, vocabulary, weights }: WordsProps) {
  const known = (word: string): boolean =>
    !config.ngrams.includes(1) || (vocabulary.get(word) ?? unknownIn(config)) !== unknownIn(config);
  const most = Math.max(...(weights ?? []).map(Math.abs), 0.01);
  const strange = words.filter((word) => !known(word)).length;
  return (
    <figure class="sg-words">
      <figcaption class="sg-note">
        What the model sees: {count(words.length, config)}
        {strange > 0 && `, ${strange} of which it does not know`}
      </figcaption>
      <ol dir="auto">
        {words.slice(0, SHOWN).map((word, at) => {
          const weight = weights?.[at];
          const seen = isSeen(at, config);
          return (
            <li
              key={at}
              data-word={word}
              data-index={vocabulary.get(word) ?? unknownIn(config)}
              data-weight={weight}
              class={[known(word) ? '' : 'sg-unknown', seen ? '' : 'sg-unseen'].join(' ')}
              title={
                seen ? (known(word) ? undefined : 'not in the vocabulary') : 'beyond what the model takes'
              }
            >
              {weight !== undefined && (
                <span
                  class={`sg-weight${weight < 0 ? ' sg-against' : ''}`}
                  style={{ opacity: Math.abs(weight) / most }}
                />
              )}
              <bdi>{shown(word)}</bdi>
              {weight !== undefined && <small>{signed(weight)}</small>}
            </li>
          );
        })}
        {words.length > SHOWN && <li>…</li>}
      </ol>
    </figure>
  );
}

function count(words: number, { split }: TextConfig): string {
  const noun = split === 'character' ? 'character' : 'word';
  return words === 1 ? `1 ${noun}` : `${words} ${noun}s`;
}

const BLANKS: Record<string, string> = { ' ': '␣', '\n': '⏎', '\t': '⇥' };
const shown = (word: string): string => BLANKS[word] ?? word;

/** In hundredths of a score, with a sign. */
function signed(weight: number): string {
  const hundredths = Number(Math.abs(weight * 100).toFixed(Math.abs(weight) < 0.1 ? 1 : 0));
  return hundredths === 0 ? '0' : `${weight < 0 ? '\u2212' : '+'}${hundredths}`;
}
