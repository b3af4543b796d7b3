/** The classes, and how long it took. */

import { Bars } from '../common/bars';
import type { Score } from '../common/scores';
import type { ViewProps } from '../pictures/demo';
import { Latency } from '../pictures/latency';

export function Results({ answer, busy, config }: ViewProps<Score[]>) {
  return (
    <>
      <Bars scores={answer?.result ?? null} busy={busy} config={config} />
      <Latency answer={answer} />
    </>
  );
}
