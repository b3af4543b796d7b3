/** Every page's script: reads the page's configuration and brings its elements to life. */

import type { PageConfig } from '../shared/contract';
import type {} from '../shared/task';
import { modelsCache } from '../shared/names';
import { element } from './dom';
import { defineDemo } from './demo';
import { isolate } from './isolation';
import { Keeper } from './keeper';
import { defineOffline, type Keeping } from './offline';
import { byHttp, byScript } from './transport';
import { register } from './updates';

globalThis.sitegen ??= { tasks: {} };

function start(): void {
  const text = document.getElementById('sitegen-page')?.textContent;
  if (!text) return;
  const page = JSON.parse(text) as PageConfig;
  const base = new URL(page.root, location.href).href;
  if (location.protocol === 'file:') {
    defineDemo(page, byScript(base));
    defineOffline(page, { keeper: null, excuse: 'Opened from a file: works without a network.' });
    return;
  }
  if (page.preview) {
    retire(base);
    defineDemo(
      page,
      byHttp(base, null, () => false),
    );
    defineOffline(page, { keeper: null, excuse: 'A preview: nothing is kept.' });
    return;
  }
  const store = storage() ? caches.open(modelsCache(base)) : null;
  let keeper: Keeper | null = null;
  const stays = (): boolean => keeper !== null && (page.offline === 'auto' || keeper.keeps);
  const transport = byHttp(base, store, stays);
  // Storing the page would take the line, and the disk, from its demo.
  const loaded = defineDemo(page, transport).then(() => transport.stored());
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
  const keeper = new Keeper(page, base, store, worker, () => register(base));
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

// The page is parsed, and the task's script, which is deferred too and comes first, has run.
start();
