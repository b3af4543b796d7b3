/** What the model said of clips -> what is seen when. */

import type { Score } from '../common/scores';
import { best } from '../common/scores';
import type { ClipTold } from './types';

/** A clip of a film and the score of each class in it; times are in seconds from the beginning. */
export interface Seen {
  start: number;
  end: number;
  scores: Score[];
  milliseconds: number;
}

/** A part of a film that shows one class; its score is the mean of the clips' in it. */
export interface Segment {
  start: number;
  end: number;
  kind: number;
  label: string;
  score: number;
}

const middle = ({ start, end }: Seen): number => (start + end) / 2;

/** Each moment belongs to the clip whose middle is nearest; neighbours that show the same class are one segment. */
export function segmentsOf(clips: Seen[]): Segment[] {
  const segments: Segment[] = [];
  let count = 0;
  clips.forEach((clip, index) => {
    const { index: kind, label, value } = best(clip.scores);
    const before = segments.at(-1);
    const next = clips[index + 1];
    const end = next ? (middle(clip) + middle(next)) / 2 : clip.end;
    if (before?.kind === kind) {
      count += 1;
      before.score += (value - before.score) / count;
      before.end = end;
    } else {
      count = 1;
      segments.push({ start: before?.end ?? clip.start, end, kind, label, score: value });
    }
  });
  return segments;
}

// A player's end lies a little behind the last frame's.
const BEHIND = 0.2;

/** The clip of a moment, whose middle is nearest to it; null where nothing was seen yet. */
export function clipAt(clips: Seen[], seconds: number): Seen | null {
  if (seconds > (clips.at(-1)?.end ?? 0) + BEHIND) return null;
  const apart = (clip: Seen): number => Math.abs(middle(clip) - seconds);
  return clips.reduce<Seen | null>((near, clip) => (near && apart(near) <= apart(clip) ? near : clip), null);
}

/** How long each class is seen, longest first. */
export function sharesOf(segments: Segment[]): { kind: number; label: string; seconds: number }[] {
  const shares = new Map<number, { kind: number; label: string; seconds: number }>();
  for (const { kind, label, start, end } of segments) {
    const share = shares.get(kind) ?? { kind, label, seconds: 0 };
    share.seconds += end - start;
    shares.set(kind, share);
  }
  return [...shares.values()].sort((a, b) => b.seconds - a.seconds);
}

/** "1:05". */
export const clock = (seconds: number): string => {
  const whole = Math.floor(seconds + 1e-6);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
};

/** Of each clip its best classes, as the Sports Video Classifier of IBM's Model Asset Exchange tells them. */
export function toldOf(clips: Seen[], most: number): ClipTold[] {
  const rounded = (value: number): number => Number(value.toFixed(6));
  return clips.map(({ start, end, scores }) => {
    const top = [...scores].sort((a, b) => b.value - a.value).slice(0, most);
    const predictions = top.map((one) => ({
      label_id: String(one.index),
      label: one.label,
      probability: rounded(one.value),
    }));
    return { start: rounded(start), end: rounded(end), predictions };
  });
}

export function asJson(clips: Seen[], most: number): string {
  const told = toldOf(clips, most).map((clip) => JSON.stringify(clip));
  return `{"status": "ok", "clips": [\n ${told.join(',\n ')}\n]}`;
}
