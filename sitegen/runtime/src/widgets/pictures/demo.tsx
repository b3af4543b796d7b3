/** What tasks that take a picture share: the ways in, what the model is shown, and the run. */

import { render, type FunctionComponent } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { DemoConfig, ImageInput, ImageSource, Tensors } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { Camera } from './camera';
import { Draw } from './draw';
import { newest } from './newest';
import { resized, seenOf, tensorOf, type Box, type Pixels } from './pixels';
import { Samples } from './samples';
import { Seen } from './seen';
import { Tabs, TITLES } from './tabs';
import { Upload } from './upload';
import { Video } from './video';

/** Shows the model a picture (null: nothing to see); `drawn` ones are cropped to their ink where the page asks for it. */
export type Show = (picture: Pixels | null, drawn?: boolean) => Promise<void>;

/** A picture, and the part of it that the model was shown. */
export interface Given {
  picture: Pixels;
  box: Box;
}

export interface Answer<Result> {
  result: Result;
  given: Given;
  milliseconds: number;
}

export interface ViewProps<Result> {
  answer: Answer<Result> | null;
  /** Whether there is something that the answer does not say yet. */
  busy: boolean;
  config: DemoConfig;
}

/** A task that takes one picture. `result` is pure; `View` draws it; with `seen`, what the model was shown is shown too. */
export interface PictureTask<Result> {
  result(outputs: Tensors, given: Given, config: DemoConfig): Result;
  View: FunctionComponent<ViewProps<Result>>;
  seen: boolean;
}

export function registerPictures<Result>(name: string, task: PictureTask<Result>): void {
  globalThis.sitegen ??= { tasks: {} };
  globalThis.sitegen.tasks[name] = {
    mount(root, host) {
      render(<Demo task={task} host={host} input={host.config.input!} />, root);
      return () => render(null, root);
    },
  };
}

const PANELS: Record<ImageSource, FunctionComponent<{ host: DemoHost; input: ImageInput; show: Show }>> = {
  draw: Draw,
  samples: Samples,
  upload: Upload,
  camera: Camera,
  video: Video,
};

interface DemoProps<Result> {
  task: PictureTask<Result>;
  host: DemoHost;
  input: ImageInput;
}

function Demo<Result>({ task, host, input }: DemoProps<Result>) {
  const sources = input.sources;
  const [source, setSource] = useState<ImageSource>(sources[0]!);
  const [answer, setAnswer] = useState<Answer<Result> | null>(null);
  const [seen, setSeen] = useState<Float32Array | null>(null);
  const [busy, setBusy] = useState(false);
  // Pictures of before the demo was cleared have no answer.
  const cleared = useRef(0);

  const look = async (given: Given): Promise<void> => {
    const since = cleared.current;
    const values = resized(given.picture, given.box, input);
    if (task.seen) setSeen(values);
    const { name, dtype } = host.config.model.signature.inputs[0]!;
    const ran = await host.run({ [name]: tensorOf(values, input, dtype) }).catch(() => null); // The host has told the visitor.
    if (since !== cleared.current) return;
    setAnswer(
      ran && {
        result: task.result(ran.outputs, given, host.config),
        given,
        milliseconds: ran.milliseconds,
      },
    );
  };
  const work = useRef<typeof look>(null);
  work.current ??= newest(look);

  const show: Show = async (picture, drawn = false) => {
    const box = picture && seenOf(picture, input, drawn);
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

  const Panel = PANELS[source];
  return (
    <div class={`sg-image${task.seen ? '' : ' sg-large'}`}>
      <div class="sg-in">
        {sources.length > 1 && (
          <Tabs
            sources={sources}
            titles={TITLES}
            label="Where the picture comes from"
            chosen={source}
            choose={choose}
          />
        )}
        <div class="sg-panel" role="tabpanel" aria-label={TITLES[source]}>
          <Panel key={source} host={host} input={input} show={show} />
        </div>
      </div>
      <div class="sg-out">
        <task.View answer={answer} busy={busy} config={host.config} />
        {task.seen && <Seen values={seen} input={input} />}
      </div>
    </div>
  );
}
