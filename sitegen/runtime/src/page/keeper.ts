/**
 * Keeping a page offline: its files go into the store one by one (what is there already is not fetched again), then the
 * service worker is told to keep the page itself. Storing is resumable: whatever was stored stays.
 */

import type { PageConfig, WorkerReply, WorkerRequest } from '../shared/contract';
import { fetched, intact, put, roomFor } from '../shared/fetched';
import { comingNote } from '../shared/names';
import { needsOf, partsOf, sparesOf, type Need, type Part } from '../shared/needs';
import { severally } from '../shared/severally';
import { ask } from './asking';
import { Choice } from './choice';
import type { Progress } from '../shared/files';
import { remember } from './stored';
import { setWish, wish } from './wish';

export class Keeper {
  /** Whether the page is kept, as far as was heard: what it fetches from then on stays too. */
  keeps = false;
  private pausing = new AbortController();

  constructor(
    private readonly page: PageConfig,
    private readonly base: string,
    private readonly store: Promise<Cache>,
    private worker: Promise<ServiceWorker>,
    private readonly register: () => Promise<ServiceWorker>,
  ) {
    // The demo's files are stored as it loads them, which is before.
    if (this.wanted) void this.announce().catch(() => undefined);
  }

  /** Whether the page is to be kept: that is the visitor's word, and without one the page's. */
  get wanted(): boolean {
    const { offline, page } = this.page;
    return offline !== 'never' && (wish(this.base, page) ?? offline === 'auto');
  }

  /** What the page needs on this device. */
  get parts(): Part[] {
    return partsOf(this.page);
  }

  get bytes(): number {
    return sizeOf(needsOf(this.page));
  }

  async kept(): Promise<boolean> {
    return (await this.ask('status')).kept;
  }

  /** Bytes of those that are on this device already, for this page or for others. */
  async held(): Promise<number> {
    const stored = new Set((await (await this.store).keys()).map((request) => request.url));
    return sizeOf(needsOf(this.page).filter((need) => stored.has(new URL(need.path, this.base).href)));
  }

  /** Bytes that the browser leaves to this site; null where it does not say. */
  async space(): Promise<number | null> {
    const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
    return quota === undefined ? null : Math.max(0, quota - (usage ?? 0));
  }

  /** Stores everything; false when it was paused. Throws when something cannot be had or stored. */
  async keep(progress: Progress): Promise<boolean> {
    const { signal } = (this.pausing = new AbortController());
    // What is kept is swept by nobody, and a device may be full.
    const store = await (this.keeps ? this.store : this.announce());
    remember(this.base);
    const total = this.bytes;
    let stored = 0;
    progress(0, total);
    try {
      await severally(needsOf(this.page), async (need) => {
        await this.storeOne(store, need, signal);
        stored += need.bytes;
        progress(stored, total);
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (signal.aborted) return false;
    let reply = await this.ask('keep');
    if (!reply.kept) {
      // A worker that was replaced meanwhile has lost its cache: its successor is asked.
      this.worker = this.register();
      reply = await this.ask('keep');
    }
    if (!reply.kept) throw new Error(reply.error ?? 'the page could not be stored');
    await store.delete(comingNote(this.base, this.page.page));
    await this.keepSpares(store);
    return true;
  }

  /** The visitor wants it kept: what does not come now does at later visits. */
  wish(): void {
    setWish(this.base, this.page.page, true);
    // Never waited for: in one browser the answer never comes. Others ask the visitor, whom a mere visit must not bother.
    void navigator.storage?.persist?.();
  }

  /** Ends `keep`; what is stored stays, and later visits leave it at that. */
  pause(): void {
    setWish(this.base, this.page.page, false);
    this.pausing.abort();
  }

  async remove(): Promise<void> {
    setWish(this.base, this.page.page, false);
    await (await this.store).delete(comingNote(this.base, this.page.page));
    await this.ask('remove');
  }

  /** Tells the worker what not to sweep away. */
  private async announce(): Promise<Cache> {
    const store = await this.store;
    await roomFor(store.put(comingNote(this.base, this.page.page), new Response(JSON.stringify(this.page))));
    return store;
  }

  /** The files of what the demo was found to be fastest with here; without them it runs all the same. */
  private async keepSpares(store: Cache): Promise<void> {
    const way = this.page.demo && new Choice(this.page.demo).recall();
    if (!way) return;
    for (const need of sparesOf(this.page, way)) await this.storeOne(store, need).catch(() => undefined);
  }

  private async storeOne(store: Cache, need: Need, signal?: AbortSignal): Promise<void> {
    const known = await store.match(new URL(need.path, this.base));
    if (await intact(known, need)) return;
    // What is damaged is what the service worker would answer with, too.
    const { file } = await fetched(this.base, need, { mode: known ? 'reload' : 'default', signal });
    await put(store, this.base, need.path, file);
  }

  private async ask(verb: WorkerRequest['verb']): Promise<WorkerReply> {
    // One that could not be had may be had by now.
    const worker = await this.worker.catch(() => (this.worker = this.register()));
    const reply = await ask(worker, { verb, page: this.page.page });
    this.keeps = reply.kept;
    return reply;
  }
}

export const sizeOf = (needs: Need[]): number => needs.reduce((sum, need) => sum + need.bytes, 0);
