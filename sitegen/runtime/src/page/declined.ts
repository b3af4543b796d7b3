/** Whether a visitor removed a page from this device, or paused: it is then left to them to keep it again. */

import { owner } from '../shared/names';

const key = (base: string, page: string): string => `${owner(base)}|declined|${page}`;

/** A browser that stores nothing, or refuses to, remembers nothing. */
export function declined(base: string, page: string): boolean {
  try {
    return localStorage.getItem(key(base, page)) !== null;
  } catch {
    return false;
  }
}

export function decline(base: string, page: string, is: boolean): void {
  try {
    if (is) localStorage.setItem(key(base, page), '1');
    else localStorage.removeItem(key(base, page));
  } catch {
    // Asked again at the next visit.
  }
}
