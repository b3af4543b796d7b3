/** A sound longer than what the model hears at once: its windows, and what is heard when. */

import { best, type Score } from '../common/scores';

/** What the model says of a window, and from when to when that holds, in seconds: halfway to the neighbours' middles. */
export interface Heard {
  from: number;
  to: number;
  scores: Score[];
  milliseconds: number;
}

/** Neighbours with the same best class; `score` is the best of it there. */
export interface Segment {
  from: number;
  to: number;
  label: string;
  kind: number;
  score: number;
}

/** First samples of all windows; the last one ends where the sound does. Shorter sounds have one, of which zeros are a part. */
export function starts(length: number, window: number, step: number): number[] {
  const count = 1 + Math.max(0, Math.ceil((length - window) / step));
  return Array.from({ length: count }, (_, index) => Math.max(0, Math.min(index * step, length - window)));
}

/** `window` samples from `start` on, zeros after the end. */
export function cut(samples: Float32Array, start: number, window: number): Float32Array {
  const part = samples.subarray(start, start + window);
  if (part.length === window) return part;
  const padded = new Float32Array(window);
  padded.set(part);
  return padded;
}

/** From when to when each window counts, of a sound of `length` samples, in samples. */
export function spans(begins: number[], window: number, length: number): [from: number, to: number][] {
  const between = (index: number): number => (begins[index]! + begins[index + 1]! + window) / 2;
  return begins.map((_, index) => [
    index ? between(index - 1) : 0,
    index < begins.length - 1 ? between(index) : length,
  ]);
}

export function segments(heard: Heard[]): Segment[] {
  const found: Segment[] = [];
  for (const { from, to, scores } of heard) {
    const { label, index: kind, value: score } = best(scores);
    const last = found.at(-1);
    if (last?.kind !== kind) found.push({ from, to, label, kind, score });
    else Object.assign(last, { to, score: Math.max(last.score, score) });
  }
  return found;
}

/** What is heard at a time; null when nothing was heard yet. */
export function heardAt(heard: Heard[], seconds: number): Heard | null {
  return heard.filter((one) => one.from <= seconds).at(-1) ?? null;
}
