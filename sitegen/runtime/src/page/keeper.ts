/**
 * Keeping a page offline: its files go into the store one by one (what is there already is not fetched again), then the
 * service worker is told to keep the page itself. Storing is resumable: whatever was stored stays.
 */

import type { PageConfig, WorkerReply, WorkerRequest } from '../shared/contract';
import { checked, fetched, put } from '../shared/fetched';
import { needsOf, sparesOf, type Need } from '../shared/needs';
import { ask } from './asking';
import { Choice } from './choice';
import type { Progress } from './files';
import { remember } from './stored';

const AT_ONCE = 4;

export class Keeper {
  /** Whether the page is kept, as far as was heard: what it fetches from then on stays too. */
  keeps = false;

  constructor(
    private readonly page: PageConfig,
    private readonly base: string,
    private readonly store: Promise<Cache>,
    private worker: Promise<ServiceWorker>,
    private readonly register: () => Promise<ServiceWorker>,
  ) {}

  /** Bytes that the page needs on this device. */
  get bytes(): number {
    return needsOf(this.page).reduce((sum, need) => sum + need.bytes, 0);
  }

  async kept(): Promise<boolean> {
    return (await this.ask('status')).kept;
  }

  /** Stores everything. Throws when something cannot be had or stored. */
  async keep(progress: Progress): Promise<void> {
    const store = await this.store;
    remember(this.base);
    const queue = needsOf(this.page);
    const total = this.bytes;
    let stored = 0;
    progress(0, total);
    const work = async (): Promise<void> => {
      for (let need = queue.shift(); need; need = queue.shift()) {
        await this.storeOne(store, need);
        stored += need.bytes;
        progress(stored, total);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    let reply = await this.ask('keep');
    if (!reply.kept) {
      // A worker that was replaced meanwhile has lost its cache: its successor is asked.
      this.worker = this.register();
      reply = await this.ask('keep');
    }
    if (!reply.kept) throw new Error(reply.error ?? 'the page could not be stored');
    // Asked for, never waited for: in one browser the answer never comes.
    void navigator.storage?.persist?.();
    await this.keepSpares(store);
  }

  /** The files of what the demo was found to be fastest with here; without them it runs all the same. */
  private async keepSpares(store: Cache): Promise<void> {
    const way = this.page.demo && new Choice(this.page.demo).recall();
    if (!way) return;
    for (const need of sparesOf(this.page, way)) await this.storeOne(store, need).catch(() => undefined);
  }

  async remove(): Promise<void> {
    await this.ask('remove');
  }

  private async storeOne(store: Cache, need: Need): Promise<void> {
    const known = await store.match(new URL(need.path, this.base));
    if (known) {
      const whole = await checked(new Uint8Array(await known.arrayBuffer()), need).catch(() => null);
      if (whole) return;
    }
    await put(store, this.base, need.path, await fetched(this.base, need, known ? 'reload' : 'default'));
  }

  private async ask(verb: WorkerRequest['verb']): Promise<WorkerReply> {
    // One that could not be had may be had by now.
    const worker = await this.worker.catch(() => (this.worker = this.register()));
    const reply = await ask(worker, { verb, page: this.page.page });
    this.keeps = reply.kept;
    return reply;
  }
}
