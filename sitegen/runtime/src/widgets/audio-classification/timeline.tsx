/** What is heard when: a button for each part, which plays from there; arrow keys go from one to the next. */

import { useRef } from 'preact/hooks';
import { percent } from '../pictures/slider';
import { hue } from '../pictures/stage';
import type { Segment } from './windows';

interface Props {
  parts: Segment[];
  /** Seconds of the whole sound. */
  long: number;
  at: number;
  play: (seconds: number) => void;
}

export function Timeline({ parts, long, at, play }: Props) {
  const group = useRef<HTMLDivElement>(null);
  const now = Math.max(0, parts.filter(({ from }) => from <= at).length - 1);

  const key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step && group.current!.children[now + step];
    if (!next) return;
    event.preventDefault();
    (next as HTMLElement).focus();
    (next as HTMLElement).click();
  };

  return (
    <div class="sg-timeline" role="group" aria-label="What is heard when" ref={group} onKeyDown={key}>
      {parts.map(({ from, to, label, kind, score }, index) => (
        <button
          type="button"
          key={from}
          tabIndex={index === now ? 0 : -1}
          aria-current={index === now}
          aria-label={`${label}, ${percent(score)}, from ${from.toFixed(1)} to ${to.toFixed(1)} seconds: play`}
          title={`${label} ${percent(score)}`}
          data-label={label}
          data-from={from}
          data-to={to}
          style={{
            left: `${(100 * from) / long}%`,
            width: `${(100 * (to - from)) / long}%`,
            background: hue(kind),
          }}
          onClick={() => play(from)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
