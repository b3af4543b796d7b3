/** The service worker seen from a page: registered, awaited, and its new versions offered to the visitor. */

import { element } from './dom';

const UNPREPARED = 'this site could not be prepared for offline';

/** Registers the site's worker; the promise is of one that is active. Without it the page works all the same. */
export async function register(base: string): Promise<ServiceWorker> {
  const registration = await navigator.serviceWorker
    .register(new URL('sw.js', base), { scope: base, updateViaCache: 'none' })
    .catch(() => {
      throw new Error(UNPREPARED);
    });
  watch(registration);
  return active(registration);
}

function active(registration: ServiceWorkerRegistration): Promise<ServiceWorker> {
  if (registration.active) return Promise.resolve(registration.active);
  const coming = registration.installing ?? registration.waiting;
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (registration.active) resolve(registration.active);
      else if (!coming || coming.state === 'redundant') reject(new Error(UNPREPARED));
    };
    coming?.addEventListener('statechange', look);
    look();
  });
}

function watch(registration: ServiceWorkerRegistration): void {
  const offer = (): void => {
    if (registration.waiting && registration.active) announce(registration.waiting);
  };
  offer();
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer);
  });
  // Another tab took the new version: this one still shows the old.
  const controlled = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (reloading) location.reload();
    else if (controlled) announce(null);
  });
}

let reloading = false;

/** Offers to reload; nothing changes under a visitor who is at work. */
function announce(waiting: ServiceWorker | null): void {
  document.querySelector('.sg-update')?.remove();
  const button = element('button', { type: 'button', className: 'sg-button' }, 'Reload');
  button.onclick = () => {
    if (!waiting) location.reload();
    reloading = true;
    waiting?.postMessage('activate');
  };
  const text = element('span', {}, 'There is a new version of this site.');
  document.body.append(element('div', { className: 'sg-update', role: 'status' }, text, button));
}
