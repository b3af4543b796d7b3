/** The task video-classification: a film or the camera in; what is seen, and when. */

import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ClipInput, ImageSource } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { Json } from '../common/json';
import { Results } from '../common/results';
import { Camera } from '../pictures/camera';
import { Drop } from '../pictures/drop';
import { Tabs, TITLES } from '../pictures/tabs';
import { asJson, clipAt, clock, segmentsOf } from './line';
import { useLive } from './live';
import { lookerOf } from './look';
import { useReading, type Reading } from './reading';
import { UNPLAYABLE } from './sample';
import { Samples } from './samples';
import { TimeLine } from './timeline';
import './style.css';

function Demo({ host, clip }: { host: DemoHost; clip: ClipInput }) {
  const { sources } = clip.frame;
  const [source, setSource] = useState<ImageSource>(sources[0]!);
  const [url, setUrl] = useState<string | null>(null);
  // Where the visitor has gone in the film; until then what is shown is what was seen last.
  const [moment, setMoment] = useState<number | null>(null);
  const player = useRef<HTMLVideoElement>(null);
  const look = useMemo(() => lookerOf(host, clip), []);
  const { reading, stop, again } = useReading(host, clip, look, url);
  const live = useLive(clip, look);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);

  const take = (film: Blob | null | undefined): void => {
    if (!film) return;
    host.fail(null);
    setMoment(null);
    setUrl(URL.createObjectURL(film));
  };
  const choose = (next: ImageSource): void => {
    host.fail(null);
    setUrl(null);
    setSource(next);
  };
  const failed = (): void => {
    setUrl(null);
    host.fail(UNPLAYABLE);
  };
  const moved = (): void => setMoment(player.current!.currentTime);

  const { clips, seconds, state } = reading;
  const segments = useMemo(() => segmentsOf(clips), [clips]);
  // Of many clips it is too long to be made anew for each.
  const reads = state === 'reading';
  const json = useMemo(() => (reads ? '' : asJson(clips, host.config.output.topK!)), [clips, reads]);
  const seen = moment === null ? (clips.at(-1) ?? null) : clipAt(clips, moment);
  const shown = source === 'camera' ? live.look : seen;
  const played = url !== null && (
    <>
      <video
        ref={player}
        src={url}
        controls
        muted
        playsInline
        preload="metadata"
        onTimeUpdate={() => player.current!.currentTime > 0 && moved()}
        onSeeked={moved}
        onError={failed}
      />
      <Progress reading={reading} stop={stop} again={again} />
    </>
  );
  return (
    <div class="sg-image sg-large">
      <div class="sg-in">
        {sources.length > 1 && (
          <Tabs
            sources={sources}
            titles={TITLES}
            label="Where the film comes from"
            chosen={source}
            choose={choose}
          />
        )}
        <div class="sg-panel sg-camera" role="tabpanel" aria-label={TITLES[source]} key={source}>
          {source === 'camera' ? (
            <Camera host={host} input={{ ...clip.frame, maxFps: clip.fps }} show={live.show} steady />
          ) : (
            played
          )}
          {source === 'samples' && <Samples host={host} take={take} />}
          {source === 'video' && (
            <Drop accept="video/*" take={take}>
              <span>{url ? 'Another film' : 'Drop a film here, or choose a file.'}</span>
            </Drop>
          )}
          {source === 'camera' && live.filled > 0 && live.filled < clip.frames && (
            <p class="sg-note">
              A clip takes {clip.frames} frames; {live.filled} are there.
            </p>
          )}
        </div>
      </div>
      <div class="sg-out">
        <Results
          answer={shown && { result: shown.scores, milliseconds: shown.milliseconds }}
          busy={reads}
          config={host.config}
        />
        {source !== 'camera' && seen && (
          <p class="sg-note sg-when">
            Seen from {clock(seen.start)} to {clock(seen.end)}
          </p>
        )}
        {clips.length > 0 && (
          <>
            <TimeLine
              segments={segments}
              seconds={seconds}
              now={moment ?? clips.at(-1)!.end}
              go={(to) => {
                player.current!.currentTime = to;
                setMoment(to);
              }}
            />
            {!reads && <Json text={json} />}
          </>
        )}
      </div>
    </div>
  );
}

function Progress({ reading, stop, again }: { reading: Reading; stop: () => void; again: () => void }) {
  const { state, read, seconds } = reading;
  return (
    <div class="sg-row sg-reading" data-reading={state}>
      <progress max={seconds || 1} value={read} aria-label="How much of the film was read" />
      <span class="sg-note">
        {clock(read)} of {clock(seconds)}
      </span>
      <button type="button" class="sg-button" data-action="read" onClick={state === 'reading' ? stop : again}>
        {state === 'reading' ? 'Stop' : 'Read it again'}
      </button>
    </div>
  );
}

globalThis.sitegen ??= { tasks: {} };
globalThis.sitegen.tasks['video-classification'] = {
  mount(root, host) {
    render(<Demo host={host} clip={host.config.takes.clip!} />, root);
    return () => render(null, root);
  },
};
