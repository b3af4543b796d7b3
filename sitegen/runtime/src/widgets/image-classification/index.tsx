/** The task image-classification: draw, choose, drop, paste or film a picture; a bar for every class. */

import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageSource } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { Camera } from './camera';
import { Draw } from './draw';
import { newest } from './newest';
import { boxFor, inkBox, resized, tensorOf, type Box, type Pixels } from './pixels';
import { Results, Seen } from './results';
import { Samples } from './samples';
import { scoresOf, type Score } from './scores';
import { Upload } from './upload';

/** Classifies a picture (null: nothing to see); `drawn` ones are cropped to their ink where the page asks for it. */
export type Show = (picture: Pixels | null, drawn?: boolean) => Promise<void>;

const TITLES: Record<ImageSource, string> = {
  draw: 'Draw',
  samples: 'Samples',
  upload: 'Picture',
  camera: 'Camera',
};

export interface Answer {
  scores: Score[];
  milliseconds: number;
}

function Demo({ host }: { host: DemoHost }) {
  const { input, samples } = host.config;
  const sources = input.sources.filter((source) => source !== 'samples' || samples.length);
  const [source, setSource] = useState<ImageSource>(sources[0]!);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [seen, setSeen] = useState<Float32Array | null>(null);
  const [busy, setBusy] = useState(false);
  // Pictures of before the demo was cleared have no answer.
  const cleared = useRef(0);

  const classify = async ({ picture, box }: { picture: Pixels; box: Box }): Promise<void> => {
    const since = cleared.current;
    const values = resized(picture, box, input);
    setSeen(values);
    const answered = await host.run(tensorOf(values, input)).catch(() => null); // The host has told the visitor.
    if (since !== cleared.current) return;
    setAnswer(
      answered && {
        scores: scoresOf(answered.output.data, host.config),
        milliseconds: answered.milliseconds,
      },
    );
  };
  const work = useRef<typeof classify>(null);
  work.current ??= newest(classify);

  const show: Show = async (picture, drawn = false) => {
    const fit = drawn ? input.draw.fit : null;
    const box = picture && (fit === null ? boxFor(picture, input) : inkBox(picture, input, fit));
    if (!picture || !box) {
      cleared.current++;
      setAnswer(null);
      setSeen(null);
      return;
    }
    setBusy(true);
    await work.current!({ picture, box });
    setBusy(false);
  };

  const choose = (next: ImageSource): void => {
    host.fail(null);
    void show(null);
    setSource(next);
  };

  return (
    <div class="sg-image">
      <div class="sg-in">
        {sources.length > 1 && <Tabs sources={sources} chosen={source} choose={choose} />}
        <div class="sg-panel" role="tabpanel" aria-label={TITLES[source]}>
          {source === 'draw' && <Draw stroke={input.draw.stroke} show={show} />}
          {source === 'samples' && <Samples host={host} show={show} />}
          {source === 'upload' && <Upload host={host} show={show} />}
          {source === 'camera' && <Camera host={host} show={show} />}
        </div>
      </div>
      <div class="sg-out">
        <Results answer={answer} busy={busy} config={host.config} />
        <Seen values={seen} input={input} />
      </div>
    </div>
  );
}

function Tabs(props: { sources: ImageSource[]; chosen: ImageSource; choose: (source: ImageSource) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) list.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
    moved.current = false;
  }, [props.chosen]);
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moved.current = true;
    const count = props.sources.length;
    props.choose(props.sources[(props.sources.indexOf(props.chosen) + step + count) % count]!);
  };
  return (
    <div class="sg-tabs" role="tablist" aria-label="Where the picture comes from" ref={list} onKeyDown={key}>
      {props.sources.map((source) => (
        <button
          type="button"
          role="tab"
          key={source}
          aria-selected={source === props.chosen}
          tabIndex={source === props.chosen ? 0 : -1}
          data-source={source}
          onClick={() => props.choose(source)}
        >
          {TITLES[source]}
        </button>
      ))}
    </div>
  );
}

globalThis.sitegen ??= { tasks: {} };
globalThis.sitegen.tasks['image-classification'] = {
  mount(root, host) {
    render(<Demo host={host} />, root);
    return () => render(null, root);
  },
};
