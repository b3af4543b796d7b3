/** The classes in a picture with their colours: a legend, and a button each that hides them. */

import { useState } from 'preact/hooks';
import { hue } from './stage';

/** A class and what there is of it, in a few letters. */
export interface Kind {
  kind: number;
  label: string;
  told: string;
}

/** Classes that are hidden, at first `first`, and what changes that. */
export function useHidden(first: () => number[]): [ReadonlySet<number>, (kind: number) => void] {
  const [hidden, setHidden] = useState<ReadonlySet<number>>(() => new Set(first()));
  const toggle = (kind: number): void => {
    const next = new Set(hidden);
    if (!next.delete(kind)) next.add(kind);
    setHidden(next);
  };
  return [hidden, toggle];
}

export function Classes(props: {
  kinds: Kind[];
  hidden: ReadonlySet<number>;
  toggle: (kind: number) => void;
}) {
  return (
    <div class="sg-row sg-classes" role="group" aria-label="Classes to show">
      {props.kinds.map(({ kind, label, told }) => (
        <button
          type="button"
          class="sg-button"
          key={kind}
          aria-pressed={!props.hidden.has(kind)}
          data-class={kind}
          onClick={() => props.toggle(kind)}
        >
          <span class="sg-swatch" style={{ background: hue(kind) }} />
          {label} {told}
        </button>
      ))}
    </div>
  );
}
