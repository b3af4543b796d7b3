/** The task tabular-classification: a row in; a bar for every class. */

import type { DemoConfig } from '../../shared/contract';
import { Bars } from '../common/bars';
import { named, percent, scoresOf, type Score } from '../common/scores';
import { registerTable } from '../tables/demo';

const MOST_LINES = 5;

/** The classes that the chart has a line for; those of two would mirror each other. */
function charted(results: number[], config: DemoConfig): Score[] {
  const scores = named(results, config);
  if (scores.length === 2) return scores.slice(1);
  return scores.sort((a, b) => b.value - a.value).slice(0, MOST_LINES);
}

registerTable('tabular-classification', {
  results: (output, config) => scoresOf(output, config).map(({ value }) => value),
  View: ({ results, busy, config }) => (
    <Bars scores={results && named(results, config)} busy={busy} config={config} />
  ),
  lines: (results, config) => charted(results, config).map(({ index, label }) => ({ index, name: label })),
  range: [0, 1],
  text: percent,
});
