/** A film's frames, by going to one place after the other: however long the film is, one frame is held at a time. */

import type { ClipInput } from '../../shared/contract';
import { frame } from '../pictures/frames';
import { boxFor, resized } from '../pictures/pixels';
import { firstsOf, framesIn, Ring } from './clips';

export const UNPLAYABLE = 'This file is no film that your browser can show.';
const DAMAGED = 'The film cannot be read any further.';
// Times in WebM are rounded to milliseconds: where a frame begins, some browsers still show the one before.
const LATE = 0.001;
// A place that a browser cannot get to is never said to be reached.
const PATIENCE = 20_000;
// Nor is a frame shown anew that is the one before.
const UNCHANGED = 100;

/** A film that plays nowhere, to be gone through; throws a sentence where the browser cannot show it. */
export async function opened(url: string): Promise<HTMLVideoElement> {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.preload = 'auto';
  video.src = url;
  await happened(video, 'loadeddata');
  if (!video.videoWidth) throw new Error(UNPLAYABLE);
  if (!Number.isFinite(video.duration)) {
    // What a browser has recorded does not say how long it is, until somebody goes to its end.
    const told = happened(video, 'durationchange');
    video.currentTime = Number.MAX_SAFE_INTEGER;
    await told;
  }
  return video;
}

function happened(video: HTMLVideoElement, what: string, otherwise = UNPLAYABLE): Promise<void> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(otherwise)), PATIENCE);
    const settle = (event: Event): void => {
      clearTimeout(late);
      video.removeEventListener(what, settle);
      video.removeEventListener('error', settle);
      if (event.type === 'error') fail(new Error(otherwise));
      else done();
    };
    video.addEventListener(what, settle);
    video.addEventListener('error', settle);
  });
}

/** Has the film show the frame of a moment. */
async function go(video: HTMLVideoElement, seconds: number): Promise<void> {
  const there = happened(video, 'seeked', DAMAGED);
  const shown = presented(video);
  video.currentTime = seconds;
  await there;
  await Promise.race([shown, new Promise((done) => setTimeout(done, UNCHANGED))]);
}

/** Some browsers have got there before they show it: there, one in thirty frames would be the one before. */
function presented(video: HTMLVideoElement): Promise<unknown> {
  if (!('requestVideoFrameCallback' in video)) return Promise.resolve();
  return new Promise((done) => video.requestVideoFrameCallback(done));
}

/**
 * Cuts a film into clips and has each looked at while the next one is read; `first` is its first frame. `look` tells whether
 * to go on, as does `ended`. Throws a sentence when the film cannot be read further.
 */
export async function cut(
  video: HTMLVideoElement,
  clip: ClipInput,
  ended: AbortSignal,
  look: (frames: Float32Array[], first: number) => Promise<boolean>,
  progress: (read: number, of: number) => void,
): Promise<void> {
  const count = framesIn(video.duration, clip.fps);
  const firsts = firstsOf(count, clip);
  const ring = new Ring(clip.frames);
  let looking = Promise.resolve(true);
  for (let index = 0; index < count; index++) {
    await go(video, Math.min(index / clip.fps + LATE, video.duration));
    if (ended.aborted) return;
    const picture = frame(video);
    ring.push(resized(picture, boxFor(picture, clip.frame), clip.frame));
    progress(index + 1, count);
    const first = Math.max(0, index + 1 - clip.frames);
    const whole = index + 1 >= Math.min(clip.frames, count);
    if (!whole || !firsts.has(first)) continue;
    if (!(await looking) || ended.aborted) return;
    looking = look(ring.clip(), first);
  }
  await looking;
}
