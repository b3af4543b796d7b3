/** The task text-classification: a text in; a bar for every class, and the words that it hangs on. */

import { render } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { Bars } from '../common/bars';
import { best, scoresOf, type Score } from '../common/scores';
import { Latency } from '../common/latency';
import { newest } from '../pictures/newest';
import { Samples } from './samples';
import { tensorOf, vocabularyOf, wordsOf, type Vocabulary } from './vectorize';
import { Words } from './words';
import '../common/field.css';
import './style.css';

// A run of the model for each word.
const MOST_WEIGHED = 64;

interface Answer {
  words: string[];
  vocabulary: Vocabulary;
  scores: Score[];
  milliseconds: number;
  weights: number[] | null;
}

function Demo({ host }: { host: DemoHost }) {
  const { config } = host;
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [busy, setBusy] = useState(false);
  const last = useRef('');
  const vocabulary = useRef<Vocabulary | null>(null);

  const scored = async (words: string[]): Promise<{ scores: Score[]; milliseconds: number }> => {
    const { inputs, outputs } = config.model.signature;
    const given = tensorOf(words, config.takes.text!, vocabulary.current!, inputs[0]!);
    const ran = await host.run({ [inputs[0]!.name]: given });
    const { data } = ran.outputs[outputs[0]!.name]!;
    return { scores: scoresOf(data, config), milliseconds: ran.milliseconds };
  };

  const look = async (given: string): Promise<void> => {
    try {
      vocabulary.current ??= vocabularyOf(await host.file('Vocabulary'));
    } catch (error) {
      host.fail(`The vocabulary is missing: ${(error as Error).message}.`);
      return;
    }
    const words = wordsOf(given, config.takes.text!);
    const ran = words.length ? await scored(words).catch(() => null) : null; // The host has told the visitor.
    setAnswer(ran && { ...ran, words, vocabulary: vocabulary.current, weights: null });
  };
  const work = useRef<typeof look>(null);
  work.current ??= newest(look);

  const ask = async (given: string): Promise<void> => {
    host.fail(null);
    last.current = given;
    setText(given);
    setBusy(true);
    await work.current!(given);
    if (last.current === given) setBusy(false);
  };

  /** Leaves out one word after the other, and sees how far the best class falls. */
  const weigh = async ({ words, scores }: Answer): Promise<void> => {
    const { index, value } = best(scores);
    const weights: number[] = [];
    setBusy(true);
    try {
      for (let at = 0; at < words.length && last.current === text; at++) {
        const without = await scored(words.filter((_, i) => i !== at));
        weights.push(value - without.scores[index]!.value);
      }
    } catch {
      weights.length = 0; // The host has told the visitor.
    }
    if (last.current !== text) return;
    setBusy(false);
    if (weights.length) setAnswer((now) => now && { ...now, weights });
  };

  return (
    <div class="sg-text">
      <div class="sg-in">
        <label class="sg-field">
          <span class="sg-note">A text, which stays on your device</span>
          <textarea
            rows={5}
            dir="auto"
            value={text}
            onInput={(event) => void ask(event.currentTarget.value)}
          />
        </label>
        {config.samples.length > 0 && <Samples host={host} text={text} choose={(given) => void ask(given)} />}
      </div>
      <div class="sg-out">
        <Bars scores={answer?.scores ?? null} busy={busy} config={config} />
        <Latency answer={answer} />
      </div>
      {answer && (
        <div class="sg-below">
          <Words {...answer} config={config.takes.text!} />
          <button
            type="button"
            class="sg-button"
            data-action="weigh"
            disabled={busy || answer.words.length > MOST_WEIGHED}
            onClick={() => void weigh(answer)}
          >
            Which ones matter?
          </button>
          <p class="sg-note" role="status">
            {noteOn(answer)}
          </p>
        </div>
      )}
    </div>
  );
}

function noteOn({ words, weights, scores }: Answer): string {
  if (words.length > MOST_WEIGHED) return `Only of texts with up to ${MOST_WEIGHED} can that be told.`;
  if (!weights) return '';
  const most = weights.indexOf(Math.max(...weights));
  const top = best(scores).label;
  return `By how many hundredths the score of ${top} falls (+) or rises (−) when one is left out; most without “${words[most]!}”.`;
}

globalThis.sitegen ??= { tasks: {} };
globalThis.sitegen.tasks['text-classification'] = {
  mount(root, host) {
    render(<Demo host={host} />, root);
    return () => render(null, root);
  },
};
