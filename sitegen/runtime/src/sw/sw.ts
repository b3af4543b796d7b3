/**
 * The service worker. Its manifest stands at its head (sitegen/offline.py), so that the two are never of two builds.
 *
 * Two kinds of cache (shared/names.ts): a shell per build, with the site's own files, and pages once they are kept;
 * and one for the hashed files of kept pages, filled by the pages themselves. A new build is prepared whole beside the
 * old one, kept pages and their new chunks included, before it takes over.
 */

import type { AssetRef, PageConfig, WorkerReply, WorkerRequest } from '../shared/contract';
import { fetched, intact, put } from '../shared/fetched';
import { keptPages } from '../shared/kept';
import { COMING, isShellCache, modelsCache, shellCache } from '../shared/names';
import { configIn, needsOf, sparesOf, type Need } from '../shared/needs';
import { severally } from '../shared/severally';
import { ranged } from './ranges';

interface Manifest {
  build: string;
  /** Whether pages are to be isolated from other sites, so that they can have shared memory. */
  isolated: boolean;
  shell: AssetRef[];
  pages: Record<string, [bytes: number, sha256: string]>;
}

declare const self: ServiceWorkerGlobalScope & { SITEGEN: Manifest };

const MANIFEST = self.SITEGEN;
const BASE = self.registration.scope;
const SHELL = shellCache(BASE, MANIFEST.build);
const MODELS = modelsCache(BASE);
const OFFLINE_PAGE = 'offline.html';
const HASHED = /^(assets|chunks|files)\//;
/** As sitegen/offline.py has them, for the preview. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const SHELL_PATHS = new Set(MANIFEST.shell.map((ref) => ref.path));

const url = (path: string): string => new URL(path, BASE).href;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const path = pathOf(event.request);
  if (path === null) return;
  const response = respond(path, event.request);
  if (response) event.respondWith(response);
});
self.addEventListener('message', (event) => {
  if (event.data === 'activate') {
    event.waitUntil(self.skipWaiting());
    return;
  }
  const port = event.ports[0];
  const answered = answer(event.data as WorkerRequest)
    .catch((error: unknown): WorkerReply => ({
      kept: false,
      isolated: false,
      error: String((error as Error).message ?? error),
    }))
    .then((reply) => port?.postMessage(reply));
  event.waitUntil(answered);
});

/**
 * Prepares this build beside the one before it, whole or not at all. What was stored of its shell is given up with it: into
 * a cache that a failed install leaves behind, WebKit puts nothing any more. Chunks stay where they are.
 */
async function install(): Promise<void> {
  try {
    await prepare(await caches.open(SHELL));
  } catch (error) {
    await caches.delete(SHELL);
    throw error;
  }
  // With no build before it, it need not wait for anybody.
  if (!self.registration.active) await self.skipWaiting();
}

async function prepare(shell: Cache): Promise<void> {
  await severally(MANIFEST.shell, (ref) => storeAsset(shell, ref));
  const models = await caches.open(MODELS);
  for (const path of (await keptPages(BASE, SHELL_PATHS)).keys()) {
    if (!MANIFEST.pages[path]) continue;
    const html = await storePage(shell, path);
    await severally(needs(html), (need) => storeMissing(models, need));
  }
}

async function storeAsset(shell: Cache, ref: AssetRef): Promise<void> {
  const need: Need = { ...ref, chunk: false };
  // A hashed file is the same in every build; what is not hashed must not come from a stale HTTP cache.
  const hashed = HASHED.test(ref.path);
  const known = hashed ? await caches.match(url(ref.path), { ignoreVary: true }) : undefined;
  const old = await intact(known, need);
  const file = old ?? (await fetched(BASE, need, { mode: hashed ? 'default' : 'no-cache' })).file;
  await put(shell, BASE, ref.path, file);
}

/** Stores a page of this build; gives its HTML. Throws when the host has another build by now. */
async function storePage(shell: Cache, path: string, pauses?: number[]): Promise<string> {
  const [bytes, sha256] = MANIFEST.pages[path]!;
  const need: Need = { path, bytes, sha256, chunk: false };
  const { file: html } = await fetched(BASE, need, { mode: 'no-cache', pauses });
  await put(shell, BASE, path, html);
  return new TextDecoder().decode(html);
}

/** Stores a file unless it is there, whole. */
async function storeMissing(cache: Cache, need: Need): Promise<void> {
  const known = await cache.match(url(need.path));
  if (await intact(known, need)) return;
  await put(cache, BASE, need.path, (await fetched(BASE, need)).file);
}

function needs(html: string): Need[] {
  const config = configIn(html);
  return config ? needsOf(config) : [];
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => isShellCache(BASE, name) && name !== SHELL);
  for (const name of old) await caches.delete(name);
  // Only a build before this one can have left anything; a first visit may be storing its files just now.
  if (old.length) await sweep();
  await self.clients.claim();
}

/** Deletes hashed files that no page has a use for that is kept, or is being kept. */
async function sweep(): Promise<void> {
  const shell = await caches.open(SHELL);
  const wanted = new Set<string>();
  const want = (config: PageConfig | null): void => {
    if (config) for (const need of [...needsOf(config), ...sparesOf(config)]) wanted.add(url(need.path));
  };
  for (const request of await shell.keys()) {
    if (request.url.endsWith('.html')) want(configIn((await (await shell.match(request))?.text()) ?? ''));
  }
  const models = await caches.open(MODELS);
  const files = await models.keys();
  for (const request of files) {
    const page = request.url.slice(BASE.length, -COMING.length);
    if (!request.url.endsWith(COMING) || !MANIFEST.pages[page]) continue;
    wanted.add(request.url);
    want((await (await models.match(request))?.json()) as PageConfig);
  }
  for (const request of files) if (!wanted.has(request.url)) await models.delete(request);
}

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  const shell = await caches.open(SHELL);
  const { page, verb } = request;
  if (!MANIFEST.pages[page])
    return { kept: false, isolated: false, error: 'the page is not part of this version of the site' };
  if (verb === 'keep') {
    const kept = await shell.match(url(page));
    try {
      // A page that is kept already is not made to wait for a network that is not there.
      const html = await storePage(shell, page, kept && []);
      const models = await caches.open(MODELS);
      // The page has stored them; another page's removal may have swept meanwhile.
      await severally(needs(html), (need) => storeMissing(models, need));
      await severally(MANIFEST.shell, (ref) => storeMissing(shell, { ...ref, chunk: false }));
    } catch (error) {
      // The host has a newer build: fetch its worker, which will keep the page.
      void self.registration.update().catch(() => undefined);
      if (!kept) throw error;
    }
  }
  if (verb === 'remove' && !SHELL_PATHS.has(page)) {
    await shell.delete(url(page));
    await sweep();
  }
  return { kept: (await shell.match(url(page))) !== undefined, isolated: MANIFEST.isolated };
}

/** The path in this site that a request is for, null when it is none of ours. */
function pathOf(request: Request): string | null {
  if (request.method !== 'GET') return null;
  const plain = request.url.replace(/[?#].*$/, '');
  if (!plain.startsWith(BASE)) return null;
  const path = plain.slice(BASE.length);
  return path === '' || path.endsWith('/') ? `${path}index.html` : path;
}

/** What this worker answers with; undefined leaves the request to the browser. */
function respond(path: string, request: Request): Promise<Response> | undefined {
  // Pages of other sites below this one, which this worker may see too, are left as they are.
  if (MANIFEST.isolated && request.mode === 'navigate' && Object.hasOwn(MANIFEST.pages, path)) {
    return navigation(path, request).then(isolated);
  }
  if (SHELL_PATHS.has(path)) return stored(SHELL, path).then((found) => found ?? fetch(request));
  // Asked for past all caches: what is stored was found to be damaged.
  if (HASHED.test(path) && request.cache === 'reload') return undefined;
  if (HASHED.test(path)) {
    return stored(MODELS, path).then((found) => (found ? ranged(found, request, path) : fetch(request)));
  }
  if (request.mode !== 'navigate') return undefined;
  return navigation(path, request);
}

async function navigation(path: string, request: Request): Promise<Response> {
  const kept = await stored(SHELL, path);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (!(await stored(SHELL, OFFLINE_PAGE))) throw error;
    // In place of another page, its relative links would lead astray.
    const page = encodeURIComponent(request.url.slice(BASE.length));
    return Response.redirect(`${url(OFFLINE_PAGE)}?page=${page}`);
  }
}

/** The same answer, with what isolates the page. Redirects have to stay as they are. */
function isolated(response: Response): Response {
  if (response.type === 'opaqueredirect' || response.headers.has('Location')) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

async function stored(name: string, path: string): Promise<Response | undefined> {
  return (await caches.open(name)).match(url(path));
}
