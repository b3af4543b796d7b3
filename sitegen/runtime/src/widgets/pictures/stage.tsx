/** A picture with something over it. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Pixels } from './pixels';
import './overlaid.css';

/** A class's colour; neighbours differ. White letters on any are at least at 4.5 to 1 (WCAG 2.2, 1.4.3). */
export const hue = (kind: number): string => `hsl(${(210 + kind * 137.508) % 360} 75% 27%)`;

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
