/** Points and limbs over the picture. */

import { percent } from '../pictures/slider';
import { hue } from '../pictures/stage';
import type { Pose } from './points';
import { isSeen, nameOf } from './result';

export function Skeletons(props: {
  poses: Pose[];
  limbs: [number, number][];
  names: string[];
  threshold: number;
}) {
  const { poses, limbs, names, threshold } = props;
  return (
    <>
      <svg class="sg-limbs" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {poses.map(({ points }, pose) =>
          limbs.map(([from, to]) => {
            const [a, b] = [points[from]!, points[to]!];
            if (!isSeen(a, threshold) || !isSeen(b, threshold)) return null;
            const ends = { x1: a.x, y1: a.y, x2: b.x, y2: b.y };
            return (
              <g key={`${pose} ${from} ${to}`} data-limb={`${from} ${to}`}>
                <line {...ends} class="sg-limb-edge" />
                <line {...ends} style={{ stroke: hue(pose) }} />
              </g>
            );
          }),
        )}
      </svg>
      {poses.map(({ points }, pose) =>
        points.map((point, index) =>
          isSeen(point, threshold) ? (
            <span
              key={`${pose} ${index}`}
              class="sg-point"
              title={`${nameOf(names, index)} ${percent(point.score)}`}
              data-pose={pose}
              data-label={nameOf(names, index)}
              data-score={point.score}
              data-place={`${point.x} ${point.y}`}
              style={{ left: `${point.x * 100}%`, top: `${point.y * 100}%`, background: hue(pose) }}
            />
          ) : null,
        ),
      )}
    </>
  );
}
