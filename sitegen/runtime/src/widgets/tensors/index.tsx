/** The task tensors: any model, numbers in and out as JSON. The smallest task there is; docs/tasks.md goes through it. */

import { render } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { TensorSpec } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { Copyable } from '../common/json';
import { endsOf } from './ends';
import { parse } from './json';
import { example, jsonOf, shapeText, tensorsOf } from './tensors';
import '../common/field.css';
import './style.css';

const ROOM = 4000;

function Demo({ host }: { host: DemoHost }) {
  const { inputs, outputs } = useMemo(() => endsOf(host.config), []);
  const [text, setText] = useState(() => example(inputs));
  const [wrong, setWrong] = useState<string | null>(null);
  const [answer, setAnswer] = useState<{ text: string; milliseconds: number } | null>(null);
  const [busy, setBusy] = useState(false);

  const run = async (): Promise<void> => {
    host.fail(null);
    setWrong(null);
    setAnswer(null);
    let given;
    try {
      given = tensorsOf(parse(text), inputs);
    } catch (error) {
      setWrong((error as Error).message);
      return;
    }
    setBusy(true);
    const ran = await host.run(given).catch(() => null); // The host has told the visitor.
    setBusy(false);
    setAnswer(ran && { text: jsonOf(ran.outputs), milliseconds: ran.milliseconds });
  };

  const more = answer && answer.text.length > ROOM;
  return (
    <div class="sg-tensors">
      <Ends title="Inputs" specs={inputs} />
      <label class="sg-field">
        <span class="sg-note">
          The inputs as JSON; one number alone fills an input. Ctrl+Enter runs the model.
        </span>
        <textarea
          rows={8}
          spellcheck={false}
          value={text}
          aria-invalid={wrong !== null}
          aria-describedby="sg-wrong"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && void run()}
        />
      </label>
      <p class="sg-error" id="sg-wrong" role="alert">
        {wrong}
      </p>
      <div class="sg-row">
        <button type="button" class="sg-button" data-action="run" disabled={busy} onClick={() => void run()}>
          Run the model
        </button>
        <button type="button" class="sg-button" onClick={() => setText(example(inputs))}>
          Example
        </button>
      </div>
      <Ends title="Outputs" specs={outputs} />
      <div role="status" aria-busy={busy} aria-label="What the model says">
        {answer ? (
          <>
            <Copyable text={answer.text} shown={more ? `${answer.text.slice(0, ROOM)} …` : answer.text} />
            <p class="sg-latency">
              {answer.milliseconds.toFixed(1)} ms in this browser
              {more && '; Copy takes all of it'}
            </p>
          </>
        ) : (
          <p class="sg-hint">What the model says appears here.</p>
        )}
      </div>
    </div>
  );
}

function Ends({ title, specs }: { title: string; specs: TensorSpec[] }) {
  return (
    <table class="sg-ends">
      <caption>{title}</caption>
      <tbody>
        {specs.map(({ name, dtype, shape }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{dtype}</td>
            <td>{shapeText(shape)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

globalThis.sitegen ??= { tasks: {} };
globalThis.sitegen.tasks.tensors = {
  mount(root, host) {
    render(<Demo host={host} />, root);
    return () => render(null, root);
  },
};
