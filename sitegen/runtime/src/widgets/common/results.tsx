/** The classes, and how long it took. */

import type { DemoConfig } from '../../shared/contract';
import { Bars } from './bars';
import type { Score } from './scores';
import { Latency } from './latency';

interface Props {
  answer: { result: Score[]; milliseconds: number } | null;
  busy: boolean;
  config: DemoConfig;
}

export function Results({ answer, busy, config }: Props) {
  return (
    <>
      <Bars scores={answer?.result ?? null} busy={busy} config={config} />
      <Latency answer={answer} />
    </>
  );
}
