/**
 * The service worker of a site that wants none any more (`sitegen build --retire-worker`). It comes where another one is,
 * as its next version; removes what this very site kept, and goes.
 */

import { isOwn } from '../shared/names';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(retire(self.registration.scope)));

// A page that is only just being loaded may not be there yet, or refuse to be loaded again.
const TURNS = 12;
const PAUSE = 500;

async function retire(base: string): Promise<void> {
  for (const name of await caches.keys()) if (isOwn(base, name)) await caches.delete(name);
  await self.registration.unregister();
  // What the worker before this one answered for comes from the host from now on.
  for (let turn = 0; turn < TURNS; turn++) {
    const open = await self.clients.matchAll({ type: 'window' });
    await Promise.all(open.map((client) => client.navigate(client.url).catch(() => undefined)));
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
