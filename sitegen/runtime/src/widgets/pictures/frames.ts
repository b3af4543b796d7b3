/** What moves, picture by picture: as fast as the model, `maxFps` at most, half of that on battery, never while hidden. */

import { useEffect } from 'preact/hooks';
import type { RefObject } from 'preact';
import { pixelsOf } from './pixels';
import type { Show } from './demo';

/**
 * Shows every frame while `moving`. The next one is taken when the model has seen the last: none ever waits. Where the
 * frames' rate is the model's own they are `steady`, on battery too.
 */
export function useFrames(
  screen: RefObject<HTMLVideoElement | null>,
  moving: boolean,
  maxFps: number,
  show: Show,
  steady = false,
): void {
  useEffect(() => {
    if (!moving) return;
    const ended = new AbortController();
    void follow(screen.current!, maxFps, show, steady, ended.signal);
    return () => ended.abort();
  }, [moving]);
}

async function follow(
  video: HTMLVideoElement,
  maxFps: number,
  show: Show,
  steady: boolean,
  ended: AbortSignal,
): Promise<void> {
  const spare = await sparing();
  while (!ended.aborted) {
    await visible();
    const began = performance.now();
    if (!ended.aborted && video.videoWidth) await show(frame(video));
    const fps = spare() && !steady ? maxFps / 2 : maxFps;
    await new Promise((done) => setTimeout(done, Math.max(0, 1000 / fps - (performance.now() - began))));
  }
}

/** Gives what tells whether the device runs on a battery now, as far as the browser says. */
export async function sparing(): Promise<() => boolean> {
  const battery = await (navigator as WithBattery).getBattery?.().catch(() => null);
  return () => Boolean(battery && !battery.charging);
}

/** What a video shows now. */
export function frame(video: HTMLVideoElement): ReturnType<typeof pixelsOf> {
  return pixelsOf(video, video.videoWidth, video.videoHeight);
}

/** Waits until the page is seen. */
export function visible(): Promise<void> {
  return new Promise((done) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      done();
    };
    document.addEventListener('visibilitychange', look);
    look();
  });
}

/** Some browsers tell whether the device is charged. */
interface WithBattery {
  getBattery?(): Promise<{ charging: boolean } | null>;
}
