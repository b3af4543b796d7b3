/** The classes, their groups, and the picture with what speaks for the best class. */

import { useState } from 'preact/hooks';
import { Bars, Rows } from '../common/bars';
import { Latency } from '../common/latency';
import { best, unscored } from '../common/scores';
import type { Answer, ViewProps } from '../pictures/demo';
import { Cells } from '../pictures/cells';
import { Stage } from '../pictures/stage';
import { grouped, whereMost, type Found, type Heat } from './result';

export function View({ answer, busy, config }: ViewProps<Found>) {
  const scores = answer?.result.scores ?? null;
  const groups = config.output.groups && grouped(scores ?? unscored(config), config.output.groups);
  return (
    <>
      <Bars scores={scores} busy={busy} config={config} />
      {groups && (
        <div class="sg-groups">
          <Rows
            rows={groups}
            title="Score of each group of classes"
            answered={scores !== null}
            top={scores && best(groups).index}
          />
        </div>
      )}
      {config.output.heatmap && <Speaking answer={answer} />}
      <Latency answer={answer} />
    </>
  );
}

/** The picture, brighter where more of it speaks for the best class. */
function Speaking({ answer }: { answer: Answer<Found> | null }) {
  const [shown, setShown] = useState(true);
  const heat = answer?.result.heat;
  const label = answer && best(answer.result.scores).label;
  return (
    <div class="sg-speaking">
      <button
        type="button"
        class="sg-button"
        aria-pressed={shown}
        data-action="heatmap"
        onClick={() => setShown(!shown)}
      >
        Heat map
      </button>
      {shown && answer && heat && (
        <>
          <Stage picture={answer.given.picture} label={`The picture, brighter where it speaks for ${label}`}>
            <Cells
              class="sg-heat"
              given={answer.given}
              width={heat.width}
              height={heat.height}
              pixels={coloured(heat)}
              opacity={0.6}
            />
          </Stage>
          <p class="sg-note">
            The brighter, the more it speaks for {label}: most at the {whereMost(heat)}.
          </p>
        </>
      )}
    </div>
  );
}

// From dark violet by red to yellow: lighter all the way, for eyes that see no colours.
const COLOURS = [
  [20, 10, 70],
  [190, 50, 90],
  [255, 230, 60],
] as const;

/** The colours of a map's numbers, RGBA. */
function coloured({ values }: Heat): Uint8ClampedArray {
  const pixels = new Uint8ClampedArray(values.length * 4).fill(255);
  values.forEach((value, cell) => {
    const [from, to, share] =
      value < 0.5 ? [COLOURS[0], COLOURS[1], 2 * value] : [COLOURS[1], COLOURS[2], 2 * value - 1];
    pixels.set(
      from.map((low, channel) => low + share * (to[channel]! - low)),
      cell * 4,
    );
  });
  return pixels;
}
