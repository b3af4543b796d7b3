/** The camera, frame by frame. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { DemoHost } from '../../shared/task';
import type { ImageInput } from '../../shared/contract';
import { useFrames } from './frames';
import type { Show } from './demo';

export function Camera(props: { host: DemoHost; input: ImageInput; show: Show; steady?: boolean }) {
  const { host, input, show } = props;
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
    return () => stream.getTracks().forEach((track) => track.stop());
  }, [stream]);
  useFrames(video, stream !== null, input.maxFps, show, props.steady);

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
  if (error.name === 'NotAllowedError')
    return 'The browser was not allowed to use the camera. Pictures and files work without it.';
  if (error.name === 'NotFoundError') return 'No camera was found. Pictures and files work without one.';
  if (error.name === 'SecurityError') return 'Cameras work on https pages only.';
  return 'The camera could not be started; another program may be using it.';
}
