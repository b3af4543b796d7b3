/**
 * How the results change over the range of one feature while the others stay: individual conditional expectation
 * (Goldstein et al., 2015), for the one row.
 */

import { useRef } from 'preact/hooks';
import type { Feature } from '../../shared/contract';
import { told } from './features';

export interface Line {
  name: string;
  index: number;
  /** The result at each of the feature's values. */
  values: number[];
}

/** A feature's values, the one that the row has, and the results there. */
export interface Curve {
  feature: Feature;
  at: number[];
  now: number;
  lines: Line[];
}

const WIDTH = 100;
const HEIGHT = 60;

/** `range`: the results at the bottom and at the top, or null where they are what the lines need. */
export function Chart(props: {
  curve: Curve;
  range: [number, number] | null;
  text: (result: number) => string;
}) {
  const { feature, at, now, lines } = props.curve;
  const [low, high] = useRange(lines, props.range);
  const [first, last] = [at[0]!, at.at(-1)!];
  const x = (value: number): number => ((value - first) / (last - first)) * WIDTH;
  const y = (value: number): number => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
  const points = (values: number[]): string => values.map((value, i) => `${x(at[i]!)},${y(value)}`).join(' ');
  return (
    <figure class="sg-chart" data-curve={feature.name}>
      <figcaption>
        If only <strong>{feature.name}</strong> were different
      </figcaption>
      <div class="sg-plot" role="img" aria-label={spoken(props.curve, props.text)}>
        <span class="sg-high">{props.text(high)}</span>
        <span class="sg-low">{props.text(low)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="sg-now" d={`M${x(now)} 0V${HEIGHT}`} />
          {lines.map(({ index, values }) =>
            feature.kind === 'number' ? (
              <polyline key={index} class={`sg-line-${index % 6}`} points={points(values)} />
            ) : (
              // A line of no length with a round end is a dot, however the picture is stretched.
              <path
                key={index}
                class={`sg-dot sg-line-${index % 6}`}
                d={values.map((value, i) => `M${x(at[i]!)} ${y(value)}h0`).join('')}
              />
            ),
          )}
        </svg>
      </div>
      <div class="sg-axis" aria-hidden="true">
        {(feature.kind === 'number' ? [first, last] : at).map((value) => (
          <span key={value}>{told(value, feature)}</span>
        ))}
      </div>
      {lines.length > 1 && (
        <ul class="sg-legend" aria-hidden="true">
          {lines.map(({ index, name }) => (
            <li key={index}>
              <svg viewBox="0 0 20 10" width="20" height="10">
                <path class={`sg-line-${index % 6}`} d="M0 5H20" />
              </svg>
              {name}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

/** The range that was said, or one that has held all lines so far: a feature that changes little looks like it. */
function useRange(lines: Line[], said: [number, number] | null): [number, number] {
  const seen = useRef<[number, number]>([Infinity, -Infinity]);
  const values = lines.flatMap((line) => line.values);
  seen.current = [Math.min(seen.current[0], ...values), Math.max(seen.current[1], ...values)];
  if (said) return said;
  const [low, high] = seen.current;
  return low < high ? [low, high] : [low - 1, high + 1];
}

/** "alcohol from 11 to 14.8: barolo from 1.0 % to 98.0 %": what a screen reader is told. */
function spoken({ feature, at, lines }: Curve, text: (result: number) => string): string {
  const over = `${feature.name} from ${told(at[0]!, feature)} to ${told(at.at(-1)!, feature)}`;
  const each = lines.map(({ name, values }) => `${name} from ${text(values[0]!)} to ${text(values.at(-1)!)}`);
  return `${over}: ${each.join(', ')}`;
}
