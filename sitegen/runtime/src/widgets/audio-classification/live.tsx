/** Listening to the microphone, or why that cannot be. */

import { useEffect, useState } from 'preact/hooks';
import type { PanelProps } from './demo';
import { ask, follow, offered } from './microphone';

interface Listening {
  stream: MediaStream;
  context: AudioContext;
}

export function Live({ host, input, live, clear }: PanelProps) {
  const [listening, setListening] = useState<Listening | null>(null);

  const start = async (): Promise<void> => {
    host.fail(null);
    // Before anything is waited for: browsers start what a click starts.
    const context = new AudioContext();
    try {
      const stream = await ask();
      await context.resume();
      setListening({ stream, context });
    } catch (error) {
      void context.close();
      host.fail(reason(error as DOMException));
    }
  };

  const stop = (): void => {
    setListening(null);
    clear();
  };

  useEffect(() => {
    if (!listening) return;
    const { stream, context } = listening;
    const ended = new AbortController();
    for (const track of stream.getTracks()) {
      track.onended = () => {
        stop();
        host.fail('The microphone was taken away. Files work without one.');
      };
    }
    void follow(stream, context, input, live, ended.signal);
    return () => {
      ended.abort();
      stream.getTracks().forEach((track) => track.stop());
      void context.close();
    };
  }, [listening]);

  if (!offered()) {
    return (
      <p class="sg-note">
        This browser gives no microphone to pages that were not loaded by https. Files of sound work here.
      </p>
    );
  }
  return (
    <div class="sg-camera">
      <p class="sg-note">
        {listening
          ? `Listening to the last ${seconds(input.window / input.rate)}, again and again.`
          : 'Sound stays on your device: nothing is sent or recorded.'}
      </p>
      <div class="sg-row">
        <button
          type="button"
          class="sg-button"
          data-action="microphone"
          onClick={() => (listening ? stop() : void start())}
        >
          {listening ? 'Stop listening' : 'Start listening'}
        </button>
      </div>
    </div>
  );
}

const seconds = (value: number): string => (value === 1 ? 'second' : `${Number(value.toFixed(2))} seconds`);

function reason(error: DOMException): string {
  if (error.name === 'NotAllowedError')
    return 'The browser was not allowed to use the microphone. Files of sound work without it.';
  if (error.name === 'NotFoundError') return 'No microphone was found. Files of sound work without one.';
  if (error.name === 'SecurityError')
    return 'Microphones work on https pages only. Files of sound work without one.';
  return 'The microphone could not be started; another program may be using it. Files of sound work without it.';
}
