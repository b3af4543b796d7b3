/** The picture with its segments over it, and how much of it each is. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { labelOf } from '../common/labels';
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
  const canvas = useRef<HTMLCanvasElement>(null);
  const { result, given } = props.answer;
  const { width, height, classes } = result;
  useEffect(() => {
    const paper = canvas.current!.getContext('2d')!;
    const image = paper.createImageData(width, height);
    const colours = new Map([...new Set(classes)].map((kind) => [kind, rgb(hue(kind))]));
    classes.forEach((kind, cell) => {
      if (!props.hidden.has(kind)) image.data.set(colours.get(kind)!, cell * 4);
    });
    paper.putImageData(image, 0, 0);
  }, [props.answer, props.hidden]);
  const { picture, box } = given;
  return (
    <canvas
      ref={canvas}
      class="sg-mask"
      width={width}
      height={height}
      style={{
        opacity: props.opacity,
        left: `${(box.left / picture.width) * 100}%`,
        top: `${(box.top / picture.height) * 100}%`,
        width: `${(box.width / picture.width) * 100}%`,
        height: `${(box.height / picture.height) * 100}%`,
      }}
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
