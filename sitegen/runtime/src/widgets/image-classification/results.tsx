/** What the model says: the best class, and a bar for every one. */

import { labelOf } from '../common/labels';
import type { DemoConfig } from '../../shared/contract';
import { Latency } from '../pictures/latency';
import { best, percent, shown, type Score } from './scores';

interface Props {
  answer: { result: Score[]; milliseconds: number } | null;
  busy: boolean;
  config: DemoConfig;
}

export function Results({ answer, busy, config }: Props) {
  const classes = config.model.signature.outputs[0]!.shape.at(-1) ?? -1;
  const count = classes > 0 ? classes : config.labels.length;
  const empty: Score[] = Array.from({ length: count }, (_, index) => ({
    index,
    label: labelOf(config.labels, index),
    value: 0,
  }));
  const rows = shown(answer?.result ?? empty, config.output.topK!);
  const top = answer && best(answer.result);
  return (
    <>
      <p class="sg-answer" role="status" aria-busy={busy}>
        {top ? (
          <>
            <strong>{top.label}</strong> <span>{percent(top.value)}</span>
          </>
        ) : (
          <span class="sg-hint">The answer appears here.</span>
        )}
      </p>
      <ol class="sg-bars" aria-label="Score of each class" data-answered={answer !== null}>
        {rows.map((score) => (
          <li
            key={score.index}
            class={score.index === top?.index ? 'sg-top' : ''}
            data-label={score.label}
            data-score={answer ? score.value : undefined}
          >
            <span class="sg-label">{score.label}</span>
            <meter class="sg-meter" min={0} max={1} value={Math.min(1, Math.max(0, score.value))}>
              {percent(score.value)}
            </meter>
            <span class="sg-value">{answer ? percent(score.value) : ''}</span>
          </li>
        ))}
      </ol>
      <Latency answer={answer} />
    </>
  );
}
