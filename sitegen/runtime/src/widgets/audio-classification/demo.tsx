/** The ways in, what is heard, and what the model says of it. */

import type { FunctionComponent } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AudioInput } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { Results } from '../common/results';
import { scoresOf } from '../common/scores';
import { Tabs } from '../pictures/tabs';
import { decode, LONGEST } from './decode';
import { tensors } from './features';
import { Samples, Upload } from './files';
import { Live } from './live';
import { Sound } from './sound';
import { cut, heardAt, spans, starts, type Heard } from './windows';

export interface PanelProps {
  host: DemoHost;
  input: AudioInput;
  /** Listens to a file from its beginning to its end, when it is there. */
  open: (file: Blob | Promise<Blob>) => Promise<void>;
  /** Listens to the newest window of what goes on. */
  live: (window: Float32Array) => Promise<void>;
  clear: () => void;
}

type Source = 'samples' | 'upload' | 'microphone';
const TITLES: Record<Source, string> = { samples: 'Samples', upload: 'File', microphone: 'Microphone' };
const PANELS: Record<Source, FunctionComponent<PanelProps>> = {
  samples: Samples,
  upload: Upload,
  microphone: Live,
};
/** Milliseconds between two looks at how far a long sound was heard. */
const REFRESH = 150;

/** What is shown; `url` is of the file, for the player. */
interface Shown {
  samples: Float32Array;
  url: string | null;
}

export function Demo({ host, input }: { host: DemoHost; input: AudioInput }) {
  const sources: Source[] = host.config.samples.length
    ? ['samples', 'upload', 'microphone']
    : ['upload', 'microphone'];
  const [source, setSource] = useState<Source>(sources[0]!);
  const [shown, setShown] = useState<Shown | null>(null);
  const [heard, setHeard] = useState<Heard[]>([]);
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  // What was begun before the last change of mind ends in nothing.
  const turn = useRef(0);
  const spec = host.config.model.signature.inputs[0]!;
  const tensorOf = useMemo(() => tensors(input, spec.dtype), []);

  useEffect(() => () => (shown?.url ? URL.revokeObjectURL(shown.url) : undefined), [shown?.url]);

  /** What the model says of a window; null where it failed, of which the host has told the visitor. */
  const hear = async (window: Float32Array, from: number, to: number): Promise<Heard | null> => {
    const ran = await host.run({ [spec.name]: tensorOf(window) }).catch(() => null);
    if (!ran) return null;
    const output = ran.outputs[host.config.model.signature.outputs[0]!.name]!;
    const scores = scoresOf(output.data, host.config);
    return { from: from / input.rate, to: to / input.rate, scores, milliseconds: ran.milliseconds };
  };

  const clear = (): void => {
    turn.current++;
    setShown(null);
    setHeard([]);
    setAt(0);
    setBusy(false);
  };

  const open = async (given: Blob | Promise<Blob>): Promise<void> => {
    clear();
    host.fail(null);
    const own = turn.current;
    setBusy(true);
    try {
      const file = await given;
      const samples = await decode(file, input.rate);
      if (own !== turn.current) return;
      setShown({ samples, url: URL.createObjectURL(file) });
      if (samples.length >= LONGEST * input.rate)
        host.fail(`Only the first ${LONGEST / 60} minutes are heard.`);
      await listen(samples, own);
    } catch (error) {
      if (own === turn.current) host.fail((error as Error).message);
    }
    if (own === turn.current) setBusy(false);
  };

  const listen = async (samples: Float32Array, own: number): Promise<void> => {
    const begins = starts(samples.length, input.window, input.step);
    const times = spans(begins, input.window, samples.length);
    const found: Heard[] = [];
    let told = 0;
    for (const [index, start] of begins.entries()) {
      const one = await hear(cut(samples, start, input.window), ...times[index]!);
      if (!one || own !== turn.current) return;
      found.push(one);
      if (index < begins.length - 1 && performance.now() - told < REFRESH) continue;
      told = performance.now();
      setHeard([...found]);
    }
  };

  const live = async (window: Float32Array): Promise<void> => {
    const own = turn.current;
    const one = await hear(window, 0, window.length);
    if (!one || own !== turn.current) return;
    setShown({ samples: window, url: null });
    setHeard([one]);
  };

  const choose = (next: Source): void => {
    host.fail(null);
    clear();
    setSource(next);
  };

  const Panel = PANELS[source];
  const now = heardAt(heard, at);
  const answer = now && { result: now.scores, milliseconds: now.milliseconds };
  return (
    <div class="sg-image sg-large">
      <div class="sg-in">
        <Tabs
          sources={sources}
          titles={TITLES}
          label="Where the sound comes from"
          chosen={source}
          choose={choose}
        />
        <div class="sg-panel" role="tabpanel" aria-label={TITLES[source]}>
          <Panel key={source} host={host} input={input} open={open} live={live} clear={clear} />
        </div>
      </div>
      {shown && <Sound {...shown} input={input} heard={heard} at={at} setAt={setAt} />}
      <div class="sg-out">
        <Results answer={answer} busy={busy} config={host.config} />
      </div>
    </div>
  );
}
