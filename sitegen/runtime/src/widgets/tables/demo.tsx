/** What tasks that take a row of a table share: the form, the run, and how the result changes with one feature. */

import { render, type FunctionComponent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DemoConfig, Feature } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { Latency } from '../common/latency';
import { newest } from '../pictures/newest';
import { Chart, type Curve } from './chart';
import type { Sample } from './csv';
import { changed, firstRow, sweep, type Row } from './features';
import { ChoiceField, NumberField } from './field';
import { predict } from './predict';
import { Samples } from './samples';
import './style.css';

export interface ViewProps {
  /** What the model says, or null before it was asked. */
  results: number[] | null;
  busy: boolean;
  config: DemoConfig;
}

/** A task that takes a row. `results` is pure: the numbers that are shown of one row's outputs. */
export interface TableTask {
  results(output: ArrayLike<number>, config: DemoConfig): number[];
  View: FunctionComponent<ViewProps>;
  /** Which of the results the chart has, by name. */
  lines(results: number[], config: DemoConfig): { index: number; name: string }[];
  /** What the chart shows from bottom to top; null: what the lines need. */
  range: [number, number] | null;
  text(result: number, config: DemoConfig): string;
}

export function registerTable(name: string, task: TableTask): void {
  globalThis.sitegen ??= { tasks: {} };
  globalThis.sitegen.tasks[name] = {
    mount(root, host) {
      render(<Demo task={task} host={host} features={host.config.takes.columns!} />, root);
      return () => render(null, root);
    },
  };
}

/** A row to look at, and the feature that was changed last. */
interface Asked {
  row: Row;
  index: number;
}

function Demo({ task, host, features }: { task: TableTask; host: DemoHost; features: Feature[] }) {
  const { config } = host;
  const [asked, setAsked] = useState<Asked>({ row: firstRow(features), index: 0 });
  const [sample, setSample] = useState<Sample | null>(null);
  const [answer, setAnswer] = useState<{ results: number[]; milliseconds: number } | null>(null);
  const [curve, setCurve] = useState<Curve | null>(null);
  const [busy, setBusy] = useState(false);
  const last = useRef(asked);

  const look = async (given: Asked): Promise<void> => {
    const current = (): boolean => last.current === given;
    const run = (rows: Row[]) => predict(rows, host, current);
    const ran = await run([given.row]).catch(() => null); // The host has told the visitor.
    setAnswer(
      ran && {
        results: task.results(ran.outputs[0]!, config),
        milliseconds: ran.milliseconds,
      },
    );
    if (!ran) return;
    const feature = features[given.index]!;
    const at = sweep(feature);
    const over = await run(at.map((value) => changed(given.row, given.index, value))).catch(() => null);
    if (!over || !current()) return;
    const each = over.outputs.map((output) => task.results(output, config));
    const lines = task
      .lines(task.results(ran.outputs[0]!, config), config)
      .map((line) => ({ ...line, values: each.map((results) => results[line.index]!) }));
    setCurve({ feature, at, now: given.row[given.index]!, lines });
  };
  const work = useRef<typeof look>(null);
  work.current ??= newest(look);

  const ask = async (next: Asked): Promise<void> => {
    host.fail(null);
    last.current = next;
    setAsked(next);
    setBusy(true);
    await work.current!(next);
    if (last.current === next) setBusy(false);
  };
  const change = (index: number, value: number): void =>
    void ask({ row: changed(last.current.row, index, value), index });
  const choose = (chosen: Sample): void => {
    setSample(chosen);
    void ask({ row: chosen.row, index: last.current.index });
  };
  useEffect(() => {
    if (host.eager) void ask(asked);
  }, []);

  const same = sample?.row.every((value, index) => value === asked.row[index]);
  return (
    <div class="sg-table">
      <form class="sg-in" aria-label="The row" onSubmit={(event) => event.preventDefault()}>
        {config.samples.length > 0 && <Samples host={host} chosen={same ? sample : null} choose={choose} />}
        <div class="sg-features">
          {features.map((feature, index) => {
            const field = { value: asked.row[index]!, set: (value: number) => change(index, value) };
            return feature.kind === 'number' ? (
              <NumberField key={index} feature={feature} {...field} />
            ) : (
              <ChoiceField key={index} feature={feature} {...field} />
            );
          })}
        </div>
      </form>
      <div class="sg-out">
        <task.View results={answer?.results ?? null} busy={busy} config={config} />
        <p class="sg-truth sg-note" data-truth={same ? sample?.truth : undefined}>
          {same && sample?.truth ? `The data says: ${sample.truth}` : '\u00a0'}
        </p>
        {curve && <Chart curve={curve} range={task.range} text={(result) => task.text(result, config)} />}
        <Latency answer={answer} />
      </div>
    </div>
  );
}
