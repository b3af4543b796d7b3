/** The picture with key points over it, which they are in words, and what visitors choose to see. */

import { useMemo, useState } from 'preact/hooks';
import { Json } from '../common/json';
import type { ViewProps } from '../pictures/demo';
import { Latency } from '../common/latency';
import { Slider } from '../pictures/slider';
import { Stage } from '../pictures/stage';
import { Skeletons } from './overlay';
import type { Pose } from './points';
import { asJson, isSeen, nameOf } from './result';

export function View({ answer, busy, config }: ViewProps<Pose[]>) {
  const { threshold: first, limbs, names, count } = config.output.points!;
  const [threshold, setThreshold] = useState(first);
  const poses = answer?.result ?? [];
  const json = useMemo(
    () => (answer ? asJson(answer.result, limbs, names, threshold, answer.given.picture) : ''),
    [answer, threshold],
  );
  return (
    <>
      {answer && (
        <Stage picture={answer.given.picture} label="The picture, with the key points that were found">
          <Skeletons poses={poses} limbs={limbs} names={names} threshold={threshold} />
        </Stage>
      )}
      <p class="sg-answer sg-small" role="status" aria-busy={busy}>
        {answer ? (
          said(poses, names, threshold, count)
        ) : (
          <span class="sg-hint">Key points appear here, over the picture.</span>
        )}
      </p>
      <Slider
        name="threshold"
        title="Show from"
        least={0}
        value={threshold}
        set={(value) => setThreshold(value)}
      />
      <Latency answer={answer} />
      {answer && <Json text={json} />}
    </>
  );
}

/** "15 of 17 points; not left ear, right ear", or of several poses how many: what a screen reader is told. */
function said(poses: Pose[], names: string[], threshold: number, count: number): string {
  const seen = poses.map(({ points }) => points.filter((point) => isSeen(point, threshold)).length);
  const found = seen.filter((many) => many > 0);
  if (!found.length) return 'Nothing found that is as sure as that.';
  if (found.length > 1) return `${found.length} found, with ${found.join(', ')} of ${count} points`;
  const { points } = poses[seen.findIndex((many) => many > 0)]!;
  const missing = points.flatMap((point, index) => (isSeen(point, threshold) ? [] : [nameOf(names, index)]));
  const left = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ' and more' : '');
  return `${found[0]} of ${count} points${left ? `; not ${left}` : ''}`;
}
