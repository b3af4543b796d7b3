/** Every page's script: reads the page's configuration and brings its elements to life. */

import type { PageConfig } from '../shared/contract';
import type {} from '../shared/task';
import { modelsCache } from '../shared/names';
import { element } from './dom';
import { begun, defineDemo } from './demo';
import { isolate } from './isolation';
import { Keeper } from './keeper';
import { defineOffline, type Keeping } from './offline';
import { byHttp, byScript } from './transport';
import { register } from './updates';

globalThis.sitegen ??= { tasks: {} };

async function start(): Promise<void> {
  const text = document.getElementById('sitegen-page')?.textContent;
  if (!text) return;
  const page = JSON.parse(text) as PageConfig;
  const base = new URL(page.root, location.href).href;
  if (location.protocol === 'file:') {
    const demo = begun(page, byScript(base));
    await parsed();
    void defineDemo(demo);
    defineOffline(page, { keeper: null, excuse: 'Opened from a file: works without a network.' });
    return;
  }
  if (page.preview) {
    retire(base);
    const demo = begun(
      page,
      byHttp(base, null, () => false),
    );
    await parsed();
    void defineDemo(demo);
    defineOffline(page, { keeper: null, excuse: 'A preview: nothing is kept.' });
    return;
  }
  const store = storage() ? caches.open(modelsCache(base)) : null;
  let keeper: Keeper | null = null;
  const stays = (): boolean => page.offline === 'auto' || (keeper !== null && keeper.keeps);
  const transport = byHttp(base, store, stays);
  const demo = begun(page, transport);
  await parsed();
  // Storing the page would take the line, and the disk, from its demo.
  const loaded = defineDemo(demo).then(() => transport.stored());
  // On file:// browsers complain of a manifest, so the page's head has none.
  document.head.append(element('link', { rel: 'manifest', href: new URL('site.webmanifest', base).href }));
  const keeping = keep(page, base, store, loaded);
  keeper = keeping.keeper;
  defineOffline(page, keeping);
}

/** Cache Storage and workers exist on https and on this machine only. */
function storage(): boolean {
  return 'serviceWorker' in navigator && 'caches' in globalThis;
}

function keep(page: PageConfig, base: string, store: Promise<Cache> | null, loaded: Promise<void>): Keeping {
  if (!store) {
    return {
      keeper: null,
      excuse: 'This browser keeps no pages from here: open the site over https to keep it.',
    };
  }
  const worker = loaded.then(() => register(base));
  // Whoever needs it sees the error.
  worker.catch(() => undefined);
  void isolate(page, base, worker).catch(() => undefined);
  const keeper = new Keeper(page, base, store, worker);
  if (page.offline === 'auto' && !document.querySelector('sitegen-offline')) {
    // A page without the panel keeps itself quietly.
    void keeper.keep(() => undefined).catch(() => undefined);
  }
  return { keeper };
}

/** A preview shows what is there now: a worker of the built site would show what was there before. */
function retire(base: string): void {
  if (!('serviceWorker' in navigator)) return;
  void navigator.serviceWorker
    .getRegistration(base)
    .then((registration) => registration?.scope === base && registration.unregister());
}

/** Waits until the page is there, and its task's script, which is deferred, has run. */
function parsed(): Promise<void> {
  if (document.readyState === 'complete') return Promise.resolve();
  return new Promise((done) => {
    document.addEventListener('DOMContentLoaded', () => done());
    // The first may be over already.
    addEventListener('load', () => done());
  });
}

// The page's configuration comes before this script; the rest may be on its way.
void start();
