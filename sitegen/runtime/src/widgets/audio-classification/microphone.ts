/** The microphone: the newest window of sound, again and again. */

import type { AudioInput } from '../../shared/contract';
import { visible } from '../pictures/frames';
import { resampled } from './resample';

/** Samples that the browser hands over at a time: a twentieth of a second or so. */
const BLOCK = 2048;

/** Whether this browser lets this page ask for a microphone at all. */
export const offered = (): boolean => Boolean(globalThis.navigator.mediaDevices?.getUserMedia);

/** Asks for the microphone; its sound as it is, since what calls take out of it is what models are trained on. */
export function ask(): Promise<MediaStream> {
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  return navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...raw }, video: false });
}

/**
 * Gives `hear` the newest window of a microphone's sound until `ended`: one every `input.step`, and none before the last
 * was heard, so that none ever waits. While the page is hidden nothing is listened to.
 */
export async function follow(
  stream: MediaStream,
  context: AudioContext,
  input: AudioInput,
  hear: (window: Float32Array) => Promise<void>,
  ended: AbortSignal,
): Promise<void> {
  const recent = new Float32Array(Math.ceil((input.window * context.sampleRate) / input.rate));
  let filled = 0;
  // Deprecated, and what all browsers have: a worklet's script could come from nowhere that file:// and the page's
  // Content-Security-Policy both allow.
  const tap = context.createScriptProcessor(BLOCK, 1, 1);
  tap.onaudioprocess = ({ inputBuffer }) => {
    // Longer than a window, where that is short.
    const block = inputBuffer.getChannelData(0).subarray(-recent.length);
    recent.copyWithin(0, block.length);
    recent.set(block, recent.length - block.length);
    filled += block.length;
  };
  context.createMediaStreamSource(stream).connect(tap).connect(context.destination);
  while (!ended.aborted) {
    if (document.hidden) {
      await context.suspend();
      await visible();
      filled = 0;
      if (!ended.aborted) await context.resume();
    }
    const began = performance.now();
    if (filled >= recent.length) {
      await hear(resampled(recent.slice(), context.sampleRate, input.rate).subarray(0, input.window));
    }
    const wait = (1000 * input.step) / input.rate - (performance.now() - began);
    await new Promise((done) => setTimeout(done, Math.max(0, wait)));
  }
}
