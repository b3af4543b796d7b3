/**
 * Names of caches. A cache belongs to exactly one site: the scope's path is part of the name and is compared whole,
 * so that sites under one origin (/a/, /a/b/, /b/) never touch one another's, nor other software's.
 */

export const owner = (scope: string): string => `sitegen|${new URL(scope).pathname.replaceAll('|', '%7C')}`;

/** Hashed files of kept pages: chunks, scripts, pictures. They never change, so all builds share them. */
export const modelsCache = (scope: string): string => `${owner(scope)}|models`;

/**
 * Where the models cache says what a page needs whose files are still coming, as PageConfig: before the page is kept, they
 * would be swept away with those that nobody has a use for.
 */
export const comingNote = (scope: string, page: string): string => new URL(page + COMING, scope).href;
export const COMING = '?coming';

/** Pages and the site's own files as of one build. */
export const shellCache = (scope: string, build: string): string => `${owner(scope)}|shell|${build}`;

/** Whether a cache, or a key of localStorage, belongs to this very site. */
export const isOwn = (scope: string, name: string): boolean => name.startsWith(`${owner(scope)}|`);

/** Whether a cache holds the shell of some build of this very site. */
export function isShellCache(scope: string, name: string): boolean {
  const parts = name.split('|');
  return parts.length === 4 && `${parts[0]}|${parts[1]}` === owner(scope) && parts[2] === 'shell';
}
