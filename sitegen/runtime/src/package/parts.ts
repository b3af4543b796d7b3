/**
 * The parts of a package: scripts with a payload in base64, or an engine's script as a function. Each puts what it carries
 * into a global, so that one file serves `import`, `require` and script elements alike.
 */

import type { Transport } from '../shared/files';
import type { Script } from './engine';

/** Gets a part to run, by its id. */
export type Parts = Record<string, () => unknown>;

declare global {
  /** What parts carry, by their id, which is of their content: packages may share it. */
  var sitegenParts: Record<string, string | Script> | undefined;
}

/** What a part carries. Throws when it cannot be had; a later call tries again. */
export async function carried(parts: Parts, id: string): Promise<string | Script> {
  if (globalThis.sitegenParts?.[id] === undefined) await parts[id]?.();
  const found = globalThis.sitegenParts?.[id];
  if (found === undefined) throw new Error(`parts/${id}.js is missing from the package`);
  return found;
}

/** The payloads of a package's parts. */
export const transportOf = (parts: Parts): Transport => ({
  payload: async (id, bytes) => {
    const payload = decoded((await carried(parts, id)) as string);
    if (payload.length !== bytes) throw new Error(`parts/${id}.js of the package is not whole`);
    return payload;
  },
});

function decoded(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Parts that lie beside a script of a page, by script elements: also on file://, where nothing can be imported. */
export function beside(script: string, ids: string[]): Parts {
  const load = (id: string) => (): Promise<void> =>
    new Promise((resolve, reject) => {
      const element = document.createElement('script');
      const src = new URL(`parts/${id}.js`, script).href;
      element.onload = () => resolve();
      element.onerror = () => reject(new Error(`${src} is missing: it belongs beside ${script}`));
      element.src = src;
      document.head.append(element);
    });
  return Object.fromEntries(ids.map((id) => [id, load(id)]));
}
