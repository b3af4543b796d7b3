/**
 * Isolation from other sites, which shared memory needs: the service worker isolates the pages that it answers
 * (sw/sw.ts), so a visitor's first page, which came without it, is loaded once more when its demo and then the worker are
 * there.
 */

import type { PageConfig } from '../shared/contract';
import { ask } from './asking';
import { THREADS, mayRunThreads } from './probes';

/** What a visitor begins with. */
const BEGINNINGS = ['pointerdown', 'keydown', 'wheel', 'touchmove', 'paste', 'drop'];

/**
 * Loads the page again when that would isolate it: once a tab, and never when the visitor has begun to do something;
 * then the next visit is isolated. Gives whether it does.
 */
export async function isolate(
  page: PageConfig,
  base: string,
  worker: Promise<ServiceWorker>,
): Promise<boolean> {
  const wanted = page.demo?.engine.variants.some(({ backend }) => backend === THREADS);
  if (!wanted || globalThis.crossOriginIsolated || window.top !== window || !mayRunThreads()) return false;
  // What was done before this script was there, browsers remember.
  let begun = navigator.userActivation?.hasBeenActive ?? false;
  for (const kind of BEGINNINGS) {
    document.addEventListener(kind, () => (begun = true), { once: true, capture: true, passive: true });
  }
  const active = await worker;
  // A page that was loaded past the worker, on purpose, is not controlled, and would not be another time.
  if (!navigator.serviceWorker.controller) await controlled();
  // A worker of a build before this one may know nothing of it.
  const { isolated } = await ask(active, { verb: 'status', page: page.page });
  const again = isolated && !begun && firstTime(`sitegen|${new URL(base).pathname}|isolating`);
  if (again) location.reload();
  return again;
}

function controlled(): Promise<unknown> {
  return new Promise((resolve) =>
    navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
  );
}

/** Whether a name was never asked for in this tab; false where that cannot be remembered. */
function firstTime(name: string): boolean {
  try {
    if (sessionStorage.getItem(name)) return false;
    sessionStorage.setItem(name, '1');
    return sessionStorage.getItem(name) === '1';
  } catch {
    return false;
  }
}
