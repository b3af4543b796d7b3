/** A sheet to draw on, by mouse, finger or pen. */

import { useEffect, useRef } from 'preact/hooks';
import type { ImageInput } from '../../shared/contract';
import type { Show } from './demo';

const SIDE = 280;

export function Draw({ input, show }: { input: ImageInput; show: Show }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef<{ x: number; y: number } | null>(null);
  const asked = useRef(0);

  const context = (): CanvasRenderingContext2D =>
    canvas.current!.getContext('2d', { willReadFrequently: true })!;

  const clear = (): void => {
    const paper = context();
    paper.fillStyle = '#fff';
    paper.fillRect(0, 0, SIDE, SIDE);
    cancelAnimationFrame(asked.current);
    void show(null);
  };

  useEffect(() => {
    clear();
    return () => cancelAnimationFrame(asked.current);
  }, []);

  const look = (): void => {
    cancelAnimationFrame(asked.current);
    asked.current = requestAnimationFrame(() => void show(context().getImageData(0, 0, SIDE, SIDE), true));
  };

  const place = (event: PointerEvent): { x: number; y: number } => {
    const frame = canvas.current!.getBoundingClientRect();
    return {
      x: ((event.clientX - frame.left) * SIDE) / frame.width,
      y: ((event.clientY - frame.top) * SIDE) / frame.height,
    };
  };

  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.current!.setPointerCapture(event.pointerId);
    pen.current = place(event);
    line(pen.current, pen.current);
  };

  const move = (event: PointerEvent): void => {
    if (!pen.current) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const step of between.length ? between : [event]) {
      const next = place(step);
      line(pen.current, next);
      pen.current = next;
    }
  };

  const line = (from: { x: number; y: number }, to: { x: number; y: number }): void => {
    const paper = context();
    paper.strokeStyle = '#000';
    paper.lineWidth = input.draw.stroke * SIDE;
    paper.lineCap = paper.lineJoin = 'round';
    paper.beginPath();
    paper.moveTo(from.x, from.y);
    paper.lineTo(to.x, to.y);
    paper.stroke();
    look();
  };

  const end = (): void => {
    pen.current = null;
  };

  return (
    <div class="sg-draw">
      <canvas
        ref={canvas}
        class="sg-paper"
        width={SIDE}
        height={SIDE}
        tabIndex={0}
        role="img"
        aria-label="Draw here with mouse, finger or pen. Delete clears the sheet."
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={end}
        onPointerCancel={end}
        onKeyDown={(event) => (event.key === 'Delete' || event.key === 'Backspace') && clear()}
      />
      <button type="button" class="sg-button" data-action="clear" onClick={clear}>
        Clear
      </button>
    </div>
  );
}
