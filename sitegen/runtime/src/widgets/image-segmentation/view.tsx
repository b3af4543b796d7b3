/** The picture with its segments over it, and how much of it each is. */

import { useMemo, useState } from 'preact/hooks';
import { labelOf } from '../common/labels';
import { Cells } from '../pictures/cells';
import { Classes, useHidden } from '../pictures/classes';
import type { Answer, ViewProps } from '../pictures/demo';
import { Latency } from '../common/latency';
import { percent, Slider } from '../pictures/slider';
import { hue, Stage } from '../pictures/stage';
import type { Segments } from './result';

export function View({ answer, busy, config }: ViewProps<Segments>) {
  const [opacity, setOpacity] = useState(0.6);
  // The background is what nobody asks for.
  const [hidden, toggle] = useHidden(() =>
    config.labels.flatMap((label, kind) => (/^background$/i.test(label) ? [kind] : [])),
  );
  const kinds = [...(answer?.result.shares ?? [])].map(([kind, share]) => ({
    kind,
    label: labelOf(config.labels, kind),
    told: percent(share),
  }));
  return (
    <>
      {answer && (
        <Stage picture={answer.given.picture} label="The picture, with a colour over each class">
          <Mask answer={answer} hidden={hidden} opacity={opacity} />
        </Stage>
      )}
      <p class="sg-answer sg-small" role="status" aria-busy={busy}>
        {answer ? (
          kinds.map(({ label, told }) => `${label} ${told}`).join(', ')
        ) : (
          <span class="sg-hint">Colours appear here, over the picture.</span>
        )}
      </p>
      <Classes kinds={kinds} hidden={hidden} toggle={toggle} />
      <Slider name="opacity" title="Colour" least={0} value={opacity} set={setOpacity} />
      <Latency answer={answer} />
    </>
  );
}

/** The segments in their colours, over the part of the picture that the model was shown. */
function Mask(props: { answer: Answer<Segments>; hidden: ReadonlySet<number>; opacity: number }) {
  const { result, given } = props.answer;
  const { width, height, classes } = result;
  const pixels = useMemo(() => {
    const made = new Uint8ClampedArray(classes.length * 4);
    const colours = new Map([...new Set(classes)].map((kind) => [kind, rgb(hue(kind))]));
    classes.forEach((kind, cell) => {
      if (!props.hidden.has(kind)) made.set(colours.get(kind)!, cell * 4);
    });
    return made;
  }, [props.answer, props.hidden]);
  return (
    <Cells
      class="sg-mask"
      given={given}
      width={width}
      height={height}
      pixels={pixels}
      opacity={props.opacity}
    />
  );
}

/** A colour as red, green, blue and 255: what a canvas makes of it. */
function rgb(colour: string): Uint8ClampedArray {
  const paper = document.createElement('canvas').getContext('2d')!;
  paper.fillStyle = colour;
  paper.fillRect(0, 0, 1, 1);
  return paper.getImageData(0, 0, 1, 1).data;
}
