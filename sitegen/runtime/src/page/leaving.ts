/** Pages without a service worker of their site's: what one that was there before has left. */

import { isOwn } from '../shared/names';

/** A preview shows what is there now: a worker of the built site would show what was there before. */
export async function unregister(base: string): Promise<void> {
  const registration = await registered(base);
  await registration?.unregister();
}

/** A site that gave its worker up removes what was kept; a worker that is still there is replaced by one that does. */
export async function clear(base: string): Promise<void> {
  const registration = await registered(base);
  if (registration) {
    await registration.update();
    return;
  }
  for (const name of await caches.keys()) if (isOwn(base, name)) await caches.delete(name);
  for (const name of Object.keys(localStorage)) if (isOwn(base, name)) localStorage.removeItem(name);
}

async function registered(base: string): Promise<ServiceWorkerRegistration | null> {
  if (!('serviceWorker' in navigator)) return null;
  const registration = await navigator.serviceWorker.getRegistration(base);
  return registration?.scope === base ? registration : null;
}
