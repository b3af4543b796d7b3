/** What a classifier says: the best class, and a bar for every one. */

import type { DemoConfig } from '../../shared/contract';
import { best, percent, shown, unscored, type Score } from './scores';

export function Bars({
  scores,
  busy,
  config,
}: {
  scores: Score[] | null;
  busy: boolean;
  config: DemoConfig;
}) {
  const rows = shown(scores ?? unscored(config), config.output.topK!);
  const top = scores && best(scores);
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
      <Rows rows={rows} title="Score of each class" answered={scores !== null} top={top?.index} />
    </>
  );
}

/** A bar for each score. */
export function Rows(props: {
  rows: Score[];
  title: string;
  answered: boolean;
  top: number | null | undefined;
}) {
  return (
    <ol class="sg-bars" aria-label={props.title} data-answered={props.answered}>
      {props.rows.map((score) => (
        <li
          key={score.index}
          class={score.index === props.top ? 'sg-top' : ''}
          data-label={score.label}
          data-score={props.answered ? score.value : undefined}
        >
          <span class="sg-label">{score.label}</span>
          <meter class="sg-meter" min={0} max={1} value={Math.min(1, Math.max(0, score.value))}>
            {percent(score.value)}
          </meter>
          <span class="sg-value">{props.answered ? percent(score.value) : ''}</span>
        </li>
      ))}
    </ol>
  );
}
