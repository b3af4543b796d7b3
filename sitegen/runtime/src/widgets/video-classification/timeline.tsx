/** What is seen when: a bar of segments that lead to their places in the film, and a legend. */

import { useRef } from 'preact/hooks';
import { percent } from '../pictures/slider';
import { hue } from '../pictures/stage';
import { clock, sharesOf, type Segment } from './line';

export function TimeLine(props: {
  segments: Segment[];
  seconds: number;
  /** Where the film is. */
  now: number;
  go: (seconds: number) => void;
}) {
  const { segments, seconds, now, go } = props;
  const bar = useRef<HTMLDivElement>(null);
  const place = (at: number): string => `${Math.min(100, (100 * at) / seconds)}%`;
  const current = Math.max(
    0,
    segments.findIndex(({ start, end }) => start <= now && now < end),
  );
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...bar.current!.querySelectorAll('button')];
    buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus();
  };
  return (
    <div class="sg-film">
      <div
        class="sg-timeline"
        role="group"
        aria-label="What is seen when; arrow keys lead from one to the next"
        ref={bar}
        onKeyDown={key}
      >
        {segments.map(({ start, end, kind, label, score }, index) => (
          <button
            type="button"
            key={start}
            tabIndex={index === current ? 0 : -1}
            aria-label={`${label} from ${clock(start)} to ${clock(end)}, ${percent(score)}`}
            title={`${label}, ${clock(start)} to ${clock(end)}`}
            data-label={label}
            data-start={start}
            data-end={end}
            style={{ left: place(start), width: place(end - start), background: hue(kind) }}
            onClick={() => go(start)}
          >
            {label}
          </button>
        ))}
        <span class="sg-now" style={{ left: place(now) }} />
      </div>
      <ul class="sg-row sg-legend" aria-label="How much of the film shows each">
        {sharesOf(segments).map(({ kind, label, seconds: long }) => (
          <li key={kind}>
            <span class="sg-swatch" style={{ background: hue(kind) }} />
            {label} {percent(long / seconds)}
          </li>
        ))}
      </ul>
    </div>
  );
}
