/** Colours over a picture, cell by cell. */

import { useEffect, useRef } from 'preact/hooks';
import type { Given } from './demo';
import './cells.css';

/** A colour for each of `width` x `height` cells, RGBA, over the part of the picture that the model was shown. */
export function Cells(props: {
  class: string;
  given: Given;
  width: number;
  height: number;
  pixels: Uint8ClampedArray;
  opacity: number;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, pixels } = props;
  useEffect(() => {
    const paper = canvas.current!.getContext('2d')!;
    paper.putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
  }, [pixels, width, height]);
  const { picture, box } = props.given;
  return (
    <canvas
      ref={canvas}
      class={`sg-cells ${props.class}`}
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
