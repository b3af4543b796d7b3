/** What goes on behind a demo, folded away: the engine, how long it takes, and the proof that it is right. */

import type { DemoConfig, Engine } from '../shared/contract';
import { element } from './dom';
import { loadFiles } from './files';
import { prove, type Proven } from './proof';
import type { Speed } from './speed';
import type { Transport } from './transport';

/** Runs whose times are looked at. */
const LAST = 200;

export class Panel {
  readonly root = element('details', { className: 'sg-behind' });
  private readonly facts = element('dl', { className: 'sg-measured' });
  private readonly verdict = element('p', { role: 'status' });
  private readonly times: number[] = [];
  private engine: Engine | null = null;

  constructor(
    private readonly said: DOMStringMap,
    private readonly demo: DemoConfig,
    private readonly transport: Transport,
    private readonly load: () => Promise<Engine>,
    speed: Speed,
  ) {
    this.root.append(element('summary', {}, 'Behind the scenes'), this.facts, speed.root);
    this.root.ontoggle = () => {
      this.draw();
      void speed.opened();
    };
    if (!demo.model.proof) return;
    const button = element(
      'button',
      { type: 'button', className: 'sg-button' },
      'Check this demo on this device',
    );
    button.onclick = async () => {
      button.disabled = true;
      await this.prove();
      button.disabled = false;
    };
    this.root.append(button, this.verdict);
  }

  /** Has this device prove itself; what is found is shown, and said on the demo's element (demo.ts). */
  async prove(): Promise<void> {
    const { said, demo } = this;
    const proof = demo.model.proof;
    said.proof = proof ? 'running' : 'none';
    if (!proof) return;
    this.verdict.textContent = 'Checking';
    try {
      const [file] = await loadFiles(this.transport, [proof]);
      this.tell(await prove(await this.load(), demo, file!));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.verdict.textContent = `It could not be checked: ${why}.`;
      said.proofError = why;
      said.proof = 'failed';
    }
  }

  /** A model was loaded. */
  started(engine: Engine): void {
    this.engine = engine;
    this.times.length = 0;
    this.draw();
  }

  /** A run took so many milliseconds. */
  ran(milliseconds: number): void {
    this.times.push(milliseconds);
    if (this.times.length > LAST) this.times.shift();
    this.draw();
  }

  private draw(): void {
    if (!this.root.open) return;
    const { engine, times } = this;
    const sorted = [...times].sort((a, b) => a - b);
    const at = (share: number): string => `${sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1)} ms`;
    const rows: [string, string][] = [
      ['Engine', engine ? `${engine.name} on ${engine.backend}` : 'not loaded yet'],
      ...(times.length
        ? ([
            ['Time a run, median', at(0.5)],
            ['95 % are below', at(0.95)],
          ] as [string, string][])
        : []),
      ['Requests to other origins', String(elsewhere())],
    ];
    this.facts.replaceChildren(
      ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    );
  }

  private tell({ passed, largest, lost, numbers, milliseconds }: Proven): void {
    Object.assign(this.said, {
      proofError: '',
      proofApart: largest,
      proofMilliseconds: milliseconds,
      proof: passed ? 'passed' : 'failed',
    });
    this.verdict.textContent = passed
      ? `Passed: this device computes what TensorFlow does, to ${share(largest)}, in ${numbers} numbers. ` +
        `The float model is ${share(lost)} away.`
      : `Failed: this device is ${share(largest)} off what TensorFlow computes. Do not trust this demo here.`;
  }
}

/** What the page asked of anybody but its own host: nothing, unless a browser's extension did. */
function elsewhere(): number {
  const entries = performance.getEntriesByType('resource');
  return entries.filter(({ name }) => /^https?:/.test(name) && new URL(name).origin !== location.origin)
    .length;
}

function share(value: number): string {
  return Number.isFinite(value) ? value.toExponential(0) : 'far';
}
