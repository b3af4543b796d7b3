/** The picture with boxes over it, what is in them in words, and what visitors choose to see. */

import { useMemo, useState } from 'preact/hooks';
import { Json } from '../common/json';
import type { ViewProps } from '../pictures/demo';
import { asJson, type Found } from './result';
import { Stage, hue } from './stage';

export function View({ answer, busy, config }: ViewProps<Found[]>) {
  const { threshold: first, firstClass } = config.output.boxes!;
  const [threshold, setThreshold] = useState(first);
  // Classes that visitors do not want to see.
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const sure = (answer?.result ?? []).filter((one) => one.score >= threshold);
  const shown = sure.filter((one) => !hidden.has(one.class));
  const json = useMemo(() => asJson(shown, firstClass), [answer, threshold, hidden]);

  const toggle = (kind: number): void => {
    const next = new Set(hidden);
    if (!next.delete(kind)) next.add(kind);
    setHidden(next);
  };

  return (
    <>
      <Stage picture={answer?.given.picture ?? null} found={shown} />
      <p class="sg-answer sg-small" role="status" aria-busy={busy}>
        {answer ? said(shown) : <span class="sg-hint">Boxes appear here, over the picture.</span>}
      </p>
      <Classes found={sure} hidden={hidden} toggle={toggle} labels={config.labels} />
      <label class="sg-slider">
        <span>Show from</span>
        <input
          type="range"
          min={0.05}
          max={1}
          step={0.01}
          value={threshold}
          data-action="threshold"
          onInput={(event) => setThreshold(Number(event.currentTarget.value))}
        />
        <span class="sg-value">{percent(threshold)}</span>
      </label>
      <p class="sg-latency">{answer ? `${answer.milliseconds.toFixed(1)} ms in this browser` : '\u00a0'}</p>
      {answer && <Json text={json} />}
    </>
  );
}

/** One button for each class that was found or is hidden. */
function Classes(props: {
  found: Found[];
  hidden: ReadonlySet<number>;
  toggle: (kind: number) => void;
  labels: string[];
}) {
  const counts = new Map([...props.hidden].map((kind): [number, number] => [kind, 0]));
  for (const one of props.found) counts.set(one.class, (counts.get(one.class) ?? 0) + 1);
  const kinds = [...counts].sort(([a], [b]) => a - b);
  return (
    <div class="sg-row sg-classes" role="group" aria-label="Classes to show">
      {kinds.map(([kind, count]) => (
        <button
          type="button"
          class="sg-button"
          key={kind}
          aria-pressed={!props.hidden.has(kind)}
          data-class={kind}
          onClick={() => props.toggle(kind)}
        >
          <span class="sg-swatch" style={{ background: hue(kind) }} />
          {props.labels[kind] ?? `Class ${kind}`} {count > 0 && `× ${count}`}
        </button>
      ))}
    </div>
  );
}

const percent = (value: number): string => `${Math.round(value * 100)}\u00a0%`;

/** "2 found: dog 91 %, cat 88 %": what a screen reader is told of the picture. */
function said(found: Found[]): string {
  if (!found.length) return 'Nothing found that is as sure as that.';
  const named = found.slice(0, 5).map((one) => `${one.label} ${percent(one.score)}`);
  return `${found.length} found: ${named.join(', ')}${found.length > 5 ? ' and more' : ''}`;
}
