/** What a visitor wants of a page, at later visits too: to have it kept, or not. */

import { owner } from '../shared/names';

const key = (base: string, page: string): string => `${owner(base)}|wish|${page}`;

/** Null when nothing was said. A browser that stores nothing, or refuses to, remembers nothing. */
export function wish(base: string, page: string): boolean | null {
  try {
    const said = localStorage.getItem(key(base, page));
    return said === null ? null : said === 'keep';
  } catch {
    return null;
  }
}

export function setWish(base: string, page: string, keep: boolean): void {
  try {
    localStorage.setItem(key(base, page), keep ? 'keep' : 'leave');
  } catch {
    // Said anew at the next visit.
  }
}
