/** A film while it is read, from its beginning to its end. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClipInput } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import type { Seen } from './line';
import type { Looker } from './look';
import { cut, opened } from './sample';

/** `read` and `seconds` are how far it has come, and how long the film is. */
export interface Reading {
  state: 'idle' | 'reading' | 'ended' | 'stopped';
  clips: Seen[];
  read: number;
  seconds: number;
}

const NOTHING: Reading = { state: 'idle', clips: [], read: 0, seconds: 0 };

/** Reads a film whenever there is another one; gives what stops that, and what begins anew. */
export function useReading(
  host: DemoHost,
  clip: ClipInput,
  look: Looker,
  url: string | null,
): { reading: Reading; stop: () => void; again: () => void } {
  const [reading, setReading] = useState(NOTHING);
  const [turn, setTurn] = useState(0);
  const ended = useRef<AbortController | null>(null);

  useEffect(() => {
    const told = (more: Partial<Reading>): void => setReading((before) => ({ ...before, ...more }));
    setReading(url === null ? NOTHING : { ...NOTHING, state: 'reading' });
    if (url === null) return;
    const ending = new AbortController();
    ended.current = ending;
    const seen = async (frames: Float32Array[], first: number): Promise<boolean> => {
      const made = await look(frames);
      if (!made || ending.signal.aborted) return false;
      const [start, end] = [first / clip.fps, (first + clip.frames) / clip.fps];
      setReading(({ clips, ...before }) => ({
        ...before,
        clips: [...clips, { start, end: Math.min(end, before.seconds), ...made }],
      }));
      return true;
    };
    const progress = (read: number, of: number): void =>
      told({ read: read / clip.fps, seconds: of / clip.fps });
    const go = async (): Promise<void> => {
      let film: HTMLVideoElement | null = null;
      try {
        film = await opened(url);
        if (!ending.signal.aborted) await cut(film, clip, ending.signal, seen, progress);
        if (!ending.signal.aborted) told({ state: 'ended' });
      } catch (error) {
        if (ending.signal.aborted) return;
        told({ state: 'stopped' });
        host.fail((error as Error).message);
      } finally {
        // Browsers let go of a film that has no address.
        film?.removeAttribute('src');
        film?.load();
      }
    };
    void go();
    return () => ending.abort();
  }, [url, turn]);

  const stop = (): void => {
    ended.current?.abort();
    setReading((before) => ({ ...before, state: 'stopped' }));
  };
  return { reading, stop, again: () => setTurn(turn + 1) };
}
