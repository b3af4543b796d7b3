/** The picture as the model gets it: small, cropped, perhaps grey. */

import { useEffect, useRef } from 'preact/hooks';
import type { ImageInput } from '../../shared/contract';

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
