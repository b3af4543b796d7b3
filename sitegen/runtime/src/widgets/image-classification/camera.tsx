/** The camera, frame by frame: as fast as the model, fifteen a second at most, and never while nobody looks. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import { pixelsOf } from './pixels';
import type { Show } from './index';

const SHORTEST_PAUSE = 66;

export function Camera({ host, show }: { host: DemoHost; show: Show }) {
  const video = useRef<HTMLVideoElement>(null);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [facing, setFacing] = useState<'user' | 'environment'>('environment');

  const start = async (): Promise<void> => {
    host.fail(null);
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'SecurityError');
      setStream(await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing }, audio: false }));
    } catch (error) {
      host.fail(reason(error as DOMException));
    }
  };

  const stop = (): void => {
    setStream(null);
    void show(null);
  };

  useEffect(() => {
    if (!stream || !video.current) return;
    const screen = video.current;
    screen.srcObject = stream;
    void screen.play().catch(() => undefined);
    let going = true;
    let timer = 0;
    const look = async (): Promise<void> => {
      if (!document.hidden && screen.videoWidth) {
        await show(pixelsOf(screen, screen.videoWidth, screen.videoHeight));
      }
      if (going) timer = window.setTimeout(() => void look(), SHORTEST_PAUSE);
    };
    void look();
    return () => {
      going = false;
      clearTimeout(timer);
      stream.getTracks().forEach((track) => track.stop());
    };
  }, [stream]);

  return (
    <div class="sg-camera">
      <video ref={video} playsInline muted hidden={!stream} />
      {!stream && <p class="sg-note">Pictures stay on your device: nothing is sent or recorded.</p>}
      <div class="sg-row">
        <button
          type="button"
          class="sg-button"
          data-action="camera"
          onClick={() => (stream ? stop() : void start())}
        >
          {stream ? 'Stop the camera' : 'Start the camera'}
        </button>
        {!stream && (
          <button
            type="button"
            class="sg-button"
            onClick={() => setFacing(facing === 'user' ? 'environment' : 'user')}
          >
            {facing === 'user' ? 'Front camera' : 'Back camera'}
          </button>
        )}
      </div>
    </div>
  );
}

function reason(error: DOMException): string {
  if (error.name === 'NotAllowedError') return 'The browser was not allowed to use the camera.';
  if (error.name === 'NotFoundError') return 'No camera was found.';
  if (error.name === 'SecurityError') return 'Cameras work on https pages only.';
  return 'The camera could not be started; another program may be using it.';
}
