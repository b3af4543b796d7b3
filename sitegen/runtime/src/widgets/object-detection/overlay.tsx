/** The boxes over the picture. */

import { hue } from '../pictures/stage';
import { percent } from '../pictures/slider';
import type { Found } from './result';

/** Labels stand over their boxes, or inside those that begin at the picture's edge. */
export function Boxes({ found }: { found: Found[] }) {
  return (
    <>
      {found.map(({ box: [top, left, bottom, right], ...one }, index) => (
        <div
          key={index}
          class={`sg-box${top < 0.08 ? ' sg-box-high' : ''}`}
          data-label={one.label}
          data-score={one.score}
          data-box={[top, left, bottom, right].join(' ')}
          style={{
            top: `${top * 100}%`,
            left: `${left * 100}%`,
            width: `${(right - left) * 100}%`,
            height: `${(bottom - top) * 100}%`,
            borderColor: hue(one.class),
          }}
        >
          <span class={left > 0.7 ? 'sg-box-right' : ''} style={{ background: hue(one.class) }}>
            {one.label} {percent(one.score)}
          </span>
        </div>
      ))}
    </>
  );
}
