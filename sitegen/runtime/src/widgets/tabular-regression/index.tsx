/** The task tabular-regression: a row in; a number out, or several. */

import { plain } from '../tables/features';
import { registerTable, type ViewProps } from '../tables/demo';
import type { DemoConfig } from '../../shared/contract';
import { nameOf } from './names';

const text = (result: number, config: DemoConfig): string =>
  config.output.unit ? `${plain(result)}\u00a0${config.output.unit}` : plain(result);

function View({ results, busy, config }: ViewProps) {
  return (
    <div class="sg-answer" role="status" aria-busy={busy}>
      {results ? (
        results.map((result, index) => (
          <p key={index} data-result={result}>
            {config.labels.length > 0 && <span class="sg-label">{nameOf(config, index)} </span>}
            <strong>{plain(result)}</strong> {config.output.unit}
          </p>
        ))
      ) : (
        <p class="sg-hint">The answer appears here.</p>
      )}
    </div>
  );
}

registerTable('tabular-regression', {
  results: (output) => Array.from(output),
  View,
  lines: (results, config) => results.map((_, index) => ({ index, name: nameOf(config, index) })),
  range: null,
  text,
});
