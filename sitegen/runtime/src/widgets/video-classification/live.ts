/** The camera, clip by clip: the newest frames at the model's rate, and only the newest clip waits for the model. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClipInput } from '../../shared/contract';
import type { Show } from '../pictures/demo';
import { sparing } from '../pictures/frames';
import { newest } from '../pictures/newest';
import { boxFor, resized } from '../pictures/pixels';
import { Ring } from './clips';
import type { Look, Looker } from './look';

/** What was seen last, and how many frames of the next clip are there (`filled`). */
export interface Live {
  look: Look | null;
  filled: number;
  show: Show;
}

export function useLive(clip: ClipInput, see: Looker): Live {
  const [look, setLook] = useState<Look | null>(null);
  const [filled, setFilled] = useState(0);
  const ring = useRef(new Ring(clip.frames));
  const state = useRef({ since: 0, last: 0, turn: 0, spare: (): boolean => false });
  const work = useRef<((given: { clip: Float32Array[]; turn: number }) => Promise<void>) | null>(null);
  work.current ??= newest(async (given) => {
    const made = await see(given.clip);
    if (given.turn === state.current.turn) setLook(made);
  });
  useEffect(() => void sparing().then((spare) => (state.current.spare = spare)), []);

  const clear = (): void => {
    ring.current.clear();
    state.current.since = 0;
    setFilled(0);
  };

  const show: Show = async (picture) => {
    const now = performance.now();
    const told = state.current;
    // Nothing was filmed for a while, as when the tab was hidden: what comes now is no part of the clip before.
    if (!picture || now - told.last > 3000 / clip.fps) clear();
    told.last = now;
    if (!picture) {
      told.turn++;
      setLook(null);
      return;
    }
    ring.current.push(resized(picture, boxFor(picture, clip.frame), clip.frame));
    setFilled(ring.current.filled);
    if (ring.current.filled < clip.frames) return;
    // On battery every other clip.
    const stride = told.spare() ? clip.stride * 2 : clip.stride;
    if (told.since++ % stride === 0) void work.current!({ clip: ring.current.clip(), turn: told.turn });
  };
  return { look, filled, show };
}
