/**
 * `<sitegen-demo>`: hosts the task's user interface, loads the engine when it is first needed and tells the visitor how
 * that goes. What it knows is also on the element, for scripts and styles: data-state (idle, loading, ready, failed),
 * data-engine, data-backend, data-milliseconds and data-tensors of the last run.
 *
 * The event `sitegen-prove` on it has the golden inputs run, as its own button does (shared/proof.ts); `sitegen check` does so
 * with every page. What was found is data-proof: running, passed, failed, or none where the page has no golden numbers;
 * then data-proof-apart, the largest difference, and data-proof-milliseconds of one run; or data-proof-error says why it
 * could not run. data-proof is set last.
 */

import type { DemoConfig, Engine, PageConfig, RunResult, Tensors } from '../shared/contract';
import { wordsOf } from '../shared/memory';
import type { DemoHost } from '../shared/task';
import { element, sizeText } from './dom';
import { loadFiles, type Transport } from '../shared/files';
import { Panel } from './panel';
import { Speed } from './speed';
import { FIRST, Ways } from './ways';

/** A page's demo before the page is there. */
interface Begun {
  config: DemoConfig;
  transport: Transport;
  ways: Ways;
  /** Whether its model is on its way already. */
  loading: boolean;
}

/** Begins with a page's demo, if it has one: a page that is kept anyway loads its model at once. */
export function begun(page: PageConfig, transport: Transport): Begun | null {
  const config = page.demo;
  if (!config) return null;
  const ways = new Ways(config, transport);
  const loading = page.offline === 'auto';
  if (loading) ways.hasten();
  return { config, transport, ways, loading };
}

/** The promise is kept when what the page loads by itself is there, or cannot be had. */
export async function defineDemo(demo: Begun | null): Promise<void> {
  if (!demo) return;
  const { config, transport, ways } = demo;
  const loading: Promise<unknown>[] = [];
  customElements.define(
    'sitegen-demo',
    class extends HTMLElement {
      private unmount: (() => void) | null = null;

      connectedCallback(): void {
        const task = globalThis.sitegen?.tasks[config.task];
        const root = element('div', { className: 'sg-task' });
        const host = new Host(this, config, demo.loading, transport, ways);
        this.replaceChildren(root, host.status, host.panel.root);
        if (!task) {
          host.fail('The script of this demo is missing.');
          return;
        }
        // Any other page waits until it is asked for something.
        if (demo.loading) loading.push(host.load());
        this.unmount = task.mount(root, host);
      }

      disconnectedCallback(): void {
        this.unmount?.();
        this.unmount = null;
      }
    },
  );
  // The page's own element is there by now.
  await Promise.allSettled(loading);
}

class Host implements DemoHost {
  readonly status = element('div', { className: 'sg-status', role: 'status' });
  readonly panel: Panel;
  private readonly speed: Speed;
  private engine: Promise<Engine> | null = null;

  constructor(
    private readonly demo: HTMLElement,
    readonly config: DemoConfig,
    readonly eager: boolean,
    private readonly transport: Transport,
    private readonly ways: Ways,
  ) {
    this.demo.dataset.state = 'idle';
    this.speed = new Speed(config, ways, this);
    this.panel = new Panel(demo.dataset, config, transport, () => this.load(), this.speed);
    this.demo.addEventListener('sitegen-prove', () => void this.panel.prove());
  }

  load(): Promise<Engine> {
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

  private async start(): Promise<Engine> {
    this.demo.dataset.state = 'loading';
    const bar = element('progress', { max: 1, value: 0 });
    const text = element('span', {}, 'Loading the model');
    bar.setAttribute('aria-label', 'Loading the model');
    this.status.replaceChildren(bar, text);
    const progress = (loaded: number, total: number): void => {
      bar.max = total || 1;
      bar.value = loaded;
      text.textContent = `Loading the model: ${sizeText(loaded)} of ${sizeText(total)}`;
    };
    const engine = await this.ways.begin(progress, (said) => this.speed.tell(said));
    this.status.replaceChildren();
    this.started(engine);
    return engine;
  }

  /** Runs on another engine from now on; what the one before was asked and has not answered, this one is asked again. */
  take(engine: Engine): void {
    const before = this.engine;
    this.engine = Promise.resolve(engine);
    this.started(engine);
    void before?.then(
      (old) => old !== engine && old.dispose(),
      () => undefined,
    );
  }

  private started(engine: Engine): void {
    Object.assign(this.demo.dataset, { state: 'ready', engine: engine.name, backend: engine.backend });
    this.panel.started(engine);
    this.speed.started(engine);
  }

  async run(inputs: Tensors): Promise<RunResult> {
    const asked = this.load();
    const engine = await asked;
    try {
      const result = await engine.run(inputs);
      this.demo.dataset.milliseconds = result.milliseconds.toFixed(2);
      this.demo.dataset.tensors = String(result.tensors);
      this.panel.ran(result.milliseconds);
      this.speed.ran();
      return result;
    } catch (error) {
      if (this.engine !== asked) return this.run(inputs);
      // An engine that failed once is not trusted again: the next call starts a new one.
      engine.dispose();
      this.engine = null;
      if (engine.way !== FIRST) {
        this.speed.failed(engine.way, reason(error));
        return this.run(inputs);
      }
      this.fail(`The model failed: ${reason(error)}.`);
      throw error;
    }
  }

  async sample(index: number): Promise<Blob> {
    const { file, type } = this.config.samples[index]!;
    const [bytes] = await loadFiles(this.transport, [file]);
    return new Blob([bytes as BlobPart], { type });
  }

  async file(name: string): Promise<Uint8Array> {
    const [bytes] = await loadFiles(this.transport, [this.config.files[name]!]);
    return bytes!;
  }

  fail(message: string | null, retry?: () => void): void {
    this.status.replaceChildren();
    if (message === null) return;
    this.status.append(element('p', { className: 'sg-error' }, message));
    if (retry) {
      const button = element('button', { type: 'button', className: 'sg-button' }, 'Try again');
      button.onclick = retry;
      this.status.append(button);
      addEventListener('online', () => button.isConnected && retry(), { once: true });
    }
  }
}

function reason(error: unknown): string {
  if (error instanceof TypeError && !navigator.onLine)
    return 'there is no network, and it is not kept on this device';
  return wordsOf(error).replace(/\.$/, '');
}
