/** A film of the visitor's own, looked at while it plays and wherever it is halted; however long, it is not uploaded. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageInput } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import type { Show } from './demo';
import { Drop } from './drop';
import { frame, useFrames } from './frames';

const TELLS_FRAMES = 'requestVideoFrameCallback' in HTMLVideoElement.prototype;

export function Video({ host, input, show }: { host: DemoHost; input: ImageInput; show: Show }) {
  const screen = useRef<HTMLVideoElement>(null);
  const [url, setUrl] = useState<string | null>(null);
  const [playing, setPlaying] = useState(false);
  useFrames(screen, playing, input.maxFps, show);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);

  const take = (file: Blob | null | undefined): void => {
    if (!file) return;
    host.fail(null);
    setPlaying(false);
    void show(null);
    setUrl(URL.createObjectURL(file));
  };

  const halted = (): void => {
    const video = screen.current!;
    if (video.paused && video.videoWidth) void show(frame(video));
  };

  // Some browsers are at a place before they show its frame.
  useEffect(() => {
    const video = screen.current;
    if (!video || !TELLS_FRAMES) return;
    let asked = video.requestVideoFrameCallback(function shown() {
      halted();
      asked = video.requestVideoFrameCallback(shown);
    });
    return () => video.cancelVideoFrameCallback(asked);
  }, [url]);

  const failed = (): void => {
    setUrl(null);
    setPlaying(false);
    host.fail('This file is no film that your browser can show.');
  };

  return (
    <div class="sg-camera">
      {url && (
        <video
          ref={screen}
          src={url}
          controls
          muted
          playsInline
          // Not every browser takes autoplay; one that does not play by itself shows what it begins with.
          onLoadedData={() => void screen.current!.play().catch(halted)}
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onEnded={() => setPlaying(false)}
          onSeeked={TELLS_FRAMES ? undefined : halted}
          onError={failed}
        />
      )}
      <Drop accept="video/*" take={take}>
        <span>{url ? 'Another film' : 'Drop a film here, or choose a file.'}</span>
      </Drop>
    </div>
  );
}
