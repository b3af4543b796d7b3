/** The picture with boxes over it, what is in them in words, and what visitors choose to see. */

import { useMemo, useState } from 'preact/hooks';
import { Json } from '../common/json';
import { labelOf } from '../common/labels';
import { Classes, useHidden, type Kind } from '../pictures/classes';
import type { ViewProps } from '../pictures/demo';
import { Latency } from '../common/latency';
import { percent, Slider } from '../pictures/slider';
import { Stage } from '../pictures/stage';
import { Boxes } from './overlay';
import { asJson, LEAST, type Found } from './result';

export function View({ answer, busy, config }: ViewProps<Found[]>) {
  const { threshold: first, firstClass } = config.output.boxes!;
  const [threshold, setThreshold] = useState(first);
  const [hidden, toggle] = useHidden(() => []);
  const sure = (answer?.result ?? []).filter((one) => one.score >= threshold);
  const shown = sure.filter((one) => !hidden.has(one.class));
  const json = useMemo(() => asJson(shown, firstClass), [answer, threshold, hidden]);

  return (
    <>
      {answer && (
        <Stage picture={answer.given.picture} label="The picture, with boxes around what was found">
          <Boxes found={shown} />
        </Stage>
      )}
      <p class="sg-answer sg-small" role="status" aria-busy={busy}>
        {answer ? said(shown) : <span class="sg-hint">Boxes appear here, over the picture.</span>}
      </p>
      <Classes kinds={counted(sure, hidden, config.labels)} hidden={hidden} toggle={toggle} />
      <Slider
        name="threshold"
        title="Show from"
        least={LEAST}
        value={threshold}
        set={(value) => setThreshold(value)}
      />
      <Latency answer={answer} />
      {answer && <Json text={json} />}
    </>
  );
}

/** Every class that was found or is hidden. */
function counted(found: Found[], hidden: ReadonlySet<number>, labels: string[]): Kind[] {
  const counts = new Map([...hidden].map((kind): [number, number] => [kind, 0]));
  for (const one of found) counts.set(one.class, (counts.get(one.class) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([kind, count]) => ({
      kind,
      label: labelOf(labels, kind),
      told: count ? `× ${count}` : '',
    }));
}

/** "2 found: dog 91 %, cat 88 %": what a screen reader is told of the picture. */
function said(found: Found[]): string {
  if (!found.length) return 'Nothing found that is as sure as that.';
  const named = found.slice(0, 5).map((one) => `${one.label} ${percent(one.score)}`);
  return `${found.length} found: ${named.join(', ')}${found.length > 5 ? ' and more' : ''}`;
}
