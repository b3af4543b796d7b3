/** What a visitor sees of the ways to run a demo, and what they can do: measure them, and choose one. */

import type { DemoConfig, Engine } from '../shared/contract';
import { element } from './dom';
import { THREADS, lacking } from './probes';
import { FIRST, type Raced, type Ways } from './ways';

/** Whoever runs the demo: has an engine, and takes another. */
export interface Runner {
  load(): Promise<Engine>;
  take(engine: Engine): void;
}

export class Speed {
  readonly root = element('div', { className: 'sg-speed' });
  private readonly select = element('select', { disabled: true });
  private readonly button = element('button', { type: 'button', className: 'sg-button' });
  private readonly table = element('table', { hidden: true });
  private readonly text = element('p', { role: 'status' });
  private looked = false;

  constructor(
    private readonly demo: DemoConfig,
    private readonly ways: Ways,
    private readonly runner: Runner,
  ) {
    if (!ways.variants.length) return;
    this.select.append(...this.names.map((way) => element('option', { value: way }, way)));
    this.select.onchange = () => void this.choose(this.select.value);
    this.button.textContent = 'Find the fastest way on this device';
    this.button.onclick = () => void this.find(this.names);
    const label = element('label', {}, 'Runs on ', this.select);
    this.root.append(...(ways.provable ? [label, this.button] : [label]), this.table, this.text);
  }

  /** The panel was opened: what the browser lacks cannot be chosen. */
  async opened(): Promise<void> {
    if (this.looked) return;
    this.looked = true;
    for (const option of this.select.options) {
      const why = option.value === FIRST ? null : await lacking(option.value);
      option.disabled = why !== null;
      if (why) option.textContent = `${option.value}: ${why}`;
    }
    this.select.disabled = false;
  }

  /** The demo runs on an engine now. */
  started(engine: Engine): void {
    this.select.value = engine.way;
  }

  /** The demo has given a result: something faster is looked for, once, when there is time. */
  ran(): void {
    this.ran = () => undefined;
    if (!this.ways.provable || this.ways.choice.recall() !== null) return;
    const idle = globalThis.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 1000));
    idle(() => void this.look());
  }

  /** A way failed while it ran. */
  failed(way: string, why: string): void {
    this.ways.choice.forget();
    this.tell(`${way} failed and is no longer used: ${why}.`);
  }

  tell(text: string): void {
    this.text.textContent = text;
  }

  private get names(): string[] {
    return [FIRST, ...this.ways.variants.map(({ backend }) => backend)];
  }

  /** Measures what the page names, and threads: no page has these whose site does not ask for them. */
  private async look(): Promise<void> {
    const { backend } = this.demo;
    const found: string[] = [];
    for (const way of this.names.slice(1)) {
      if (backend !== 'auto' && way !== backend && way !== THREADS) continue;
      if ((await lacking(way)) === null) found.push(way);
    }
    if (found.length) await this.find(found);
  }

  private async find(ways: string[]): Promise<void> {
    await this.busy('Measuring', async () => {
      const { rows, best } = await this.ways.race(await this.runner.load(), ways);
      this.ways.choice.keep(best.way);
      this.runner.take(best);
      this.draw(rows);
      const faster = best.way === FIRST ? `${FIRST} stays` : `${best.way} is used from now on`;
      this.tell(`Measured on this device: ${faster}.`);
    });
  }

  private async choose(way: string): Promise<void> {
    await this.busy(`Starting ${way}`, async () => {
      const engine = await this.ways.start(way);
      // Without golden numbers nothing vouches for it at the next visit.
      if (this.ways.provable) this.ways.choice.keep(way);
      this.runner.take(engine);
      this.tell(`The demo runs on ${way} now.`);
    });
  }

  private async busy(doing: string, work: () => Promise<void>): Promise<void> {
    this.button.disabled = this.select.disabled = true;
    this.root.dataset.busy = '';
    this.tell(doing);
    try {
      await work();
    } catch (error) {
      this.tell(`That did not work: ${error instanceof Error ? error.message : String(error)}.`);
    }
    const engine = await this.runner.load().catch(() => null);
    if (engine) this.started(engine);
    this.button.disabled = this.select.disabled = false;
    delete this.root.dataset.busy;
  }

  private draw(rows: Raced[]): void {
    const head = ['', 'Median', 'Check'].map((text) => element('th', { scope: 'col' }, text));
    const body = rows.map(({ way, milliseconds, why }) => {
      const time = milliseconds === null ? '–' : `${milliseconds.toFixed(1)} ms`;
      const cells = [time, why || 'passed'].map((text) => element('td', {}, text));
      const row = element('tr', {}, element('th', { scope: 'row' }, way), ...cells);
      row.dataset.way = way;
      return row;
    });
    this.table.replaceChildren(
      element('caption', {}, 'One run on this device'),
      element('tr', {}, ...head),
      ...body,
    );
    this.table.hidden = false;
  }
}
