/** A sound: what is heard when, its waveform, its spectrogram and, of a file, its player. */

import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { AudioInput } from '../../shared/contract';
import { COLUMNS, painted, spectrogramOf, waveform } from './drawing';
import { Timeline } from './timeline';
import { segments, type Heard } from './windows';

interface Props {
  samples: Float32Array;
  url: string | null;
  input: AudioInput;
  heard: Heard[];
  /** The player's place in seconds. */
  at: number;
  setAt: (seconds: number) => void;
}

export function Sound({ samples, url, input, heard, at, setAt }: Props) {
  const player = useRef<HTMLAudioElement>(null);
  const long = samples.length / input.rate;
  const parts = useMemo(() => segments(heard), [heard]);

  const play = (seconds: number): void => {
    setAt(seconds);
    if (!player.current) return;
    player.current.currentTime = seconds;
    // Some browsers play not every file that was read here.
    void player.current.play().catch(() => undefined);
  };

  return (
    <figure class="sg-sound">
      {url && <Timeline parts={parts} long={long} at={at} play={play} />}
      <div
        class="sg-waves"
        onClick={(event) => {
          const { left, width } = event.currentTarget.getBoundingClientRect();
          if (url) play(Math.max(0, ((event.clientX - left) / width) * long));
        }}
      >
        <Waveform samples={samples} />
        <Picture samples={samples} input={input} />
        {url && <div class="sg-playhead" style={{ left: `${(100 * Math.min(at, long)) / long}%` }} />}
      </div>
      {url && (
        <audio
          ref={player}
          src={url}
          controls
          onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        />
      )}
      <figcaption class="sg-note">
        Waveform and spectrogram of {long.toFixed(1)} s, {range(input)}
      </figcaption>
    </figure>
  );
}

function Waveform({ samples }: { samples: Float32Array }) {
  const path = useMemo(() => waveform(samples, COLUMNS), [samples]);
  return (
    <svg viewBox={`0 -1 ${COLUMNS} 2`} preserveAspectRatio="none" role="img" aria-label="Waveform">
      <path d={path} />
    </svg>
  );
}

function Picture({ samples, input }: { samples: Float32Array; input: AudioInput }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { frames, bins, values } = spectrogramOf(samples, input);
    const { width, height } = Object.assign(canvas.current!, { width: Math.max(1, frames), height: bins });
    const pixels = painted(values, width, height, input.spectrogram?.power ?? 1);
    canvas.current!.getContext('2d')!.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [samples]);
  return <canvas ref={canvas} role="img" aria-label="Spectrogram, high frequencies above" />;
}

function range({ spectrogram, rate }: AudioInput): string {
  const { low, high } = spectrogram ?? { low: 0, high: rate / 2 };
  return `${low} to ${high} Hz, as the model hears it`;
}
