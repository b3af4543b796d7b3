/**
 * `<sitegen-demo>`: hosts the task's user interface, loads the engine when it is first needed and tells the visitor how
 * that goes. What it knows is also on the element, for scripts and styles: data-state (idle, loading, ready, failed),
 * data-engine, data-backend, data-milliseconds and data-tensors of the last run, and data-compared once engines were.
 */

import type { DemoConfig, Engine, PageConfig, Tensor } from '../shared/contract';
import type { DemoHost } from '../shared/task';
import { Choice } from './choice';
import type { Current } from './current';
import { element, sizeText } from './dom';
import { loadFiles } from './files';
import { Panel } from './panel';
import type { Transport } from './transport';

export function defineDemo(page: PageConfig, transport: Transport, base: string): void {
  const config = page.demo;
  if (!config) return;
  customElements.define(
    'sitegen-demo',
    class extends HTMLElement {
      private unmount: (() => void) | null = null;

      connectedCallback(): void {
        const task = globalThis.sitegen?.tasks[config.task];
        const root = element('div', { className: 'sg-task' });
        const host = new Host(this, config, transport, new Choice(page, config, transport, base));
        this.replaceChildren(root, host.status, host.panel.root);
        if (!task) {
          host.fail('The script of this demo is missing.');
          return;
        }
        this.unmount = task.mount(root, host);
        // A page that is kept anyway loads its model at once; any other waits until it is asked for something.
        if (page.offline === 'auto') void host.load().catch(() => undefined);
      }

      disconnectedCallback(): void {
        this.unmount?.();
        this.unmount = null;
      }
    },
  );
}

class Host implements DemoHost {
  readonly status = element('div', { className: 'sg-status', role: 'status' });
  readonly panel: Panel;
  private engine: Promise<Current> | null = null;

  constructor(
    private readonly demo: HTMLElement,
    readonly config: DemoConfig,
    private readonly transport: Transport,
    private readonly choice: Choice,
  ) {
    this.demo.dataset.state = 'idle';
    this.panel = new Panel(config, transport, () => this.load());
  }

  load(): Promise<Current> {
    this.engine ??= this.start().catch((error: unknown) => {
      this.engine = null;
      this.demo.dataset.state = 'failed';
      this.fail(
        `The model could not be loaded: ${reason(error)}.`,
        () => void this.load().catch(() => undefined),
      );
      throw error;
    });
    return this.engine;
  }

  private async start(): Promise<Current> {
    this.demo.dataset.state = 'loading';
    const bar = element('progress', { max: 1, value: 0 });
    const text = element('span', {}, 'Loading the model');
    bar.setAttribute('aria-label', 'Loading the model');
    this.status.replaceChildren(bar, text);
    const engine = await this.choice.start((loaded, total) => {
      bar.max = total || 1;
      bar.value = loaded;
      text.textContent = `Loading the model: ${sizeText(loaded)} of ${sizeText(total)}`;
    });
    this.status.replaceChildren();
    this.demo.dataset.state = 'ready';
    this.tell(engine);
    return engine;
  }

  private tell(engine: Engine): void {
    Object.assign(this.demo.dataset, { engine: engine.name, backend: engine.backend });
    this.panel.started(engine);
  }

  /** In the background; whatever fails in it leaves the demo as it is. */
  private async compare(engine: Current): Promise<void> {
    try {
      const compared = await this.choice.compare(engine);
      if (!compared) return;
      const times = compared.times.map(([backend, time]) => `${backend} ${time.toFixed(2)} ms`);
      this.demo.dataset.compared = times.join(', ');
      this.tell(engine);
    } catch (error) {
      this.demo.dataset.compared = `failed: ${reason(error)}`;
    }
  }

  async run(input: Tensor): Promise<{ output: Tensor; milliseconds: number }> {
    const engine = await this.load();
    const { inputs, outputs } = this.config.model.signature;
    try {
      const result = await engine.run({ [inputs[0]!.name]: input });
      this.demo.dataset.milliseconds = result.milliseconds.toFixed(2);
      this.demo.dataset.tensors = String(result.tensors);
      this.panel.ran(result.milliseconds);
      void this.compare(engine);
      return { output: result.outputs[outputs[0]!.name]!, milliseconds: result.milliseconds };
    } catch (error) {
      // An engine that failed once is not trusted again: the next call starts a new one.
      this.choice.failed(engine);
      engine.dispose();
      this.engine = null;
      this.fail(`The model failed: ${reason(error)}.`);
      throw error;
    }
  }

  async sample(index: number): Promise<Blob> {
    const { image, type } = this.config.samples[index]!;
    const [bytes] = await loadFiles(this.transport, [image]);
    return new Blob([bytes as BlobPart], { type });
  }

  fail(message: string | null, retry?: () => void): void {
    this.status.replaceChildren();
    if (message === null) return;
    this.status.append(element('p', { className: 'sg-error' }, message));
    if (retry) {
      const button = element('button', { type: 'button', className: 'sg-button' }, 'Try again');
      button.onclick = retry;
      this.status.append(button);
    }
  }
}

function reason(error: unknown): string {
  if (error instanceof TypeError && !navigator.onLine)
    return 'there is no network, and it is not kept on this device';
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\.$/, '');
}
