/** Every page's script: reads the page's configuration and brings its elements to life. */

import type { PageConfig } from '../shared/contract';
import type {} from '../shared/task';
import { modelsCache } from '../shared/names';
import type { Transport } from '../shared/files';
import { pageConfig } from './config';
import { element } from './dom';
import { begun, defineDemo } from './demo';
import { isolate } from './isolation';
import { Keeper } from './keeper';
import { clear, unregister } from './leaving';
import { defineOffline, type Keeping } from './offline';
import { byElement, inPage } from './elements';
import { byHttp, byScript } from './transport';
import { register } from './updates';

globalThis.sitegen ??= { tasks: {} };

async function start(): Promise<void> {
  const page = pageConfig();
  if (!page) return;
  const base = new URL(page.root, location.href).href;
  if (inPage()) {
    await alone(page, byElement(), 'All in this file: works without a network.');
    return;
  }
  if (location.protocol === 'file:') {
    await alone(page, byScript(base), 'Opened from a file: works without a network.');
    return;
  }
  if (page.preview || page.retired || page.alone) {
    if (page.preview) void unregister(base).catch(() => undefined);
    if (page.retired) void clear(base).catch(() => undefined);
    const excuse = page.preview ? 'A preview: nothing is kept.' : 'This site keeps nothing on your device.';
    const transport = byHttp(base, null, () => false);
    await alone(page, transport, excuse);
    return;
  }
  const store = storage() ? caches.open(modelsCache(base)) : null;
  let keeper: Keeper | null = null;
  const stays = (): boolean => keeper !== null && (keeper.wanted || keeper.keeps);
  const transport = byHttp(base, store, stays);
  const demo = begun(page, transport);
  // Storing the page would take the line, and the disk, from its demo.
  const loaded = parsed()
    .then(() => defineDemo(demo))
    .then(() => transport.stored());
  const keeping = keep(page, base, store, loaded);
  keeper = keeping.keeper;
  await parsed();
  defineOffline(page, keeping);
  if (keeper?.wanted && !document.querySelector('sitegen-offline')) {
    // A page without the panel keeps itself quietly, when its demo has what it needs.
    void loaded.then(() => keeper.keep(() => undefined)).catch(() => undefined);
  }
}

/** A page of which nothing is kept; `excuse` says why. */
async function alone(page: PageConfig, transport: Transport, excuse: string): Promise<void> {
  const demo = begun(page, transport);
  await parsed();
  void defineDemo(demo);
  defineOffline(page, { keeper: null, excuse });
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
  // What a page that is loaded again was fetching, browsers call an error.
  void isolate(page, base, worker)
    .catch(() => false)
    .then((again) => again || offerInstall(base));
  return { keeper: new Keeper(page, base, store, worker, () => register(base)) };
}

/** On file:// browsers complain of a manifest, so the page's head has none. */
function offerInstall(base: string): void {
  document.head.append(element('link', { rel: 'manifest', href: new URL('site.webmanifest', base).href }));
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
