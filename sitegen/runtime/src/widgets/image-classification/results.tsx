/** What the model says, and what it was given to see. */

import { useEffect, useRef } from 'preact/hooks';
import type { DemoConfig, ImageInput } from '../../shared/contract';
import type { Answer } from './index';
import { best, percent, shown, type Score } from './scores';

export function Results({
  answer,
  busy,
  config,
}: {
  answer: Answer | null;
  busy: boolean;
  config: DemoConfig;
}) {
  const classes = config.model.signature.outputs[0]!.shape.at(-1) ?? -1;
  const count = classes > 0 ? classes : config.labels.length;
  const empty: Score[] = Array.from({ length: count }, (_, index) => ({
    index,
    label: config.labels[index] ?? `Class ${index}`,
    value: 0,
  }));
  const rows = shown(answer?.scores ?? empty, config.output.topK);
  const top = answer && best(answer.scores);
  return (
    <>
      <p class="sg-answer" role="status" aria-busy={busy}>
        {top ? (
          <>
            <strong>{top.label}</strong> <span>{percent(top.value)}</span>
          </>
        ) : (
          <span class="sg-hint">The answer appears here.</span>
        )}
      </p>
      <ol class="sg-bars" aria-label="Score of each class" data-answered={answer !== null}>
        {rows.map((score) => (
          <li
            key={score.index}
            class={score.index === top?.index ? 'sg-top' : ''}
            data-label={score.label}
            data-score={answer ? score.value : undefined}
          >
            <span class="sg-label">{score.label}</span>
            <meter class="sg-meter" min={0} max={1} value={Math.min(1, Math.max(0, score.value))}>
              {percent(score.value)}
            </meter>
            <span class="sg-value">{answer ? percent(score.value) : ''}</span>
          </li>
        ))}
      </ol>
      <p class="sg-latency">{answer ? `${answer.milliseconds.toFixed(1)} ms in this browser` : '\u00a0'}</p>
    </>
  );
}

/** The picture as the model gets it: small, cropped, perhaps grey. */
export function Seen({ values, input }: { values: Float32Array | null; input: ImageInput }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, channels } = input;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, width, height);
    if (!values) return;
    const image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) image.data[i * 4 + c] = values[channels === 1 ? i : i * 3 + c]!;
      image.data[i * 4 + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [values]);
  return (
    <figure class="sg-seen" hidden={!values}>
      <canvas
        ref={canvas}
        width={width}
        height={height}
        role="img"
        aria-label="The picture as the model sees it"
      />
      <figcaption>
        What the model sees: {width} × {height}
      </figcaption>
    </figure>
  );
}
