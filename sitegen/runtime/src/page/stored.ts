/** Whether anything may be in the store of kept files: opening it takes longer than many a model needs to come. */

import { modelsCache } from '../shared/names';

/** Before a file is put into the store. */
export function remember(base: string): void {
  try {
    localStorage.setItem(modelsCache(base), 'in use');
  } catch {
    // Then the store is looked into each time.
  }
}

export function mayBeStored(base: string): boolean {
  try {
    return localStorage.getItem(modelsCache(base)) !== null || navigator.serviceWorker?.controller !== null;
  } catch {
    return true;
  }
}
