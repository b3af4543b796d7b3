/**
 * Stands in the head of pages that load their model by themselves: on a first visit the engine and the model are asked
 * for at once, before the page's script is there to wait for them (transport.ts).
 */

import { chunkPath } from '../shared/chunk';
import { backendOf, modelFiles } from '../shared/needs';
import { AT_ONCE } from '../shared/severally';
import { pageConfig } from './config';
import { mayBeStored } from './stored';

const page = pageConfig();
const base = new URL(page?.root ?? '', location.href).href;
if (page?.demo && location.protocol !== 'file:' && !mayBeStored(base)) {
  const { engine, model } = page.demo;
  const refs = [engine.script, ...modelFiles(model), backendOf(engine)];
  const first = refs.flatMap(({ chunks }) => chunks).slice(0, AT_ONCE);
  globalThis.sitegenEarly = new Map(
    first.map(([id]) => {
      const ending = new AbortController();
      const response = fetch(new URL(chunkPath(id), base), { signal: ending.signal });
      // Whoever takes it sees the error.
      response.catch(() => undefined);
      return [id, { response, ending }];
    }),
  );
}
