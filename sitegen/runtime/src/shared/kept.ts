/** The pages that are kept, as of any build of a site. */

import { isShellCache } from './names';

/** Their paths, each with the cache that it is in; `shell` has the pages that every build keeps, which are none of them. */
export async function keptPages(scope: string, shell: ReadonlySet<string>): Promise<Map<string, Cache>> {
  const pages = new Map<string, Cache>();
  for (const name of await caches.keys()) {
    if (!isShellCache(scope, name)) continue;
    const cache = await caches.open(name);
    for (const { url } of await cache.keys()) {
      const path = url.slice(scope.length);
      if (path.endsWith('.html') && !shell.has(path)) pages.set(path, cache);
    }
  }
  return pages;
}
