/** What goes on behind a demo, folded away: the engine, how long it takes, and the proof that it is right. */

import type { DemoConfig, Engine } from '../shared/contract';
import { element } from './dom';
import { loadFiles, type Transport } from '../shared/files';
import { Measured } from './measured';
import { prove, type Proven } from '../shared/proof';
import type { Speed } from './speed';

export class Panel {
  readonly root = element('details', { className: 'sg-behind' });
  private readonly measured: Measured;
  private readonly verdict = element('p', { role: 'status' });

  constructor(
    private readonly said: DOMStringMap,
    private readonly demo: DemoConfig,
    private readonly transport: Transport,
    private readonly load: () => Promise<Engine>,
    speed: Speed,
  ) {
    this.measured = new Measured(demo);
    this.root.append(element('summary', {}, 'Behind the scenes'), this.measured.root, speed.root);
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
    this.measured.started(engine);
    this.draw();
  }

  /** A run took so many milliseconds. */
  ran(milliseconds: number): void {
    this.measured.ran(milliseconds);
    this.draw();
  }

  private draw(): void {
    if (this.root.open) this.measured.draw();
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

function share(value: number): string {
  return Number.isFinite(value) ? value.toExponential(0) : 'far';
}
