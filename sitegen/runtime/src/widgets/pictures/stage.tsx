/** A picture with something over it. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Pixels } from './pixels';
import './overlaid.css';

/** A class's colour, dark enough for white letters; neighbours differ. */
export const hue = (kind: number): string => `hsl(${(210 + kind * 137.508) % 360} 75% 32%)`;

export function Stage(props: { picture: Pixels; label: string; children: ComponentChildren }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, data } = props.picture;
  useEffect(() => {
    canvas
      .current!.getContext('2d')!
      .putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
  }, [props.picture]);
  return (
    <div class="sg-stage" role="img" aria-label={props.label}>
      <canvas ref={canvas} width={width} height={height} />
      {props.children}
    </div>
  );
}
