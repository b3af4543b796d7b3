/** A picture with boxes over it. */

import { useEffect, useRef } from 'preact/hooks';
import type { Pixels } from '../pictures/pixels';
import type { Found } from './result';

/** A class's colour, dark enough for white letters; neighbours differ. */
export const hue = (kind: number): string => `hsl(${(210 + kind * 137.508) % 360} 75% 32%)`;

export function Stage({ picture, found }: { picture: Pixels | null; found: Found[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!picture || !canvas.current) return;
    const image = new ImageData(new Uint8ClampedArray(picture.data), picture.width, picture.height);
    canvas.current.getContext('2d')!.putImageData(image, 0, 0);
  }, [picture]);
  if (!picture) return null;
  return (
    <div class="sg-stage" role="img" aria-label="The picture, with boxes around what was found">
      <canvas ref={canvas} width={picture.width} height={picture.height} />
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
            {one.label} {Math.round(one.score * 100)} %
          </span>
        </div>
      ))}
    </div>
  );
}
