// An engine's script in Node's own context, as a page's worker runs it.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { runInThisContext } from 'node:vm';

export const dist = dirname(argv[1]);
export const bytes = (...path) => new Uint8Array(readFileSync(join(...path)));

/** The scripts and builds of the backend by the name of their engine. */
export const engines = () => JSON.parse(readFileSync(join(dist, 'runtime.json'), 'utf8')).engines;

let answered;

export function start(script) {
  globalThis.self = globalThis;
  // What tells a browser's worker from Node, for those who ask.
  globalThis.WorkerGlobalScope = class {};
  globalThis.importScripts = () => {};
  globalThis.location = { href: '' };
  globalThis.postMessage = (reply) => answered(reply);
  runInThisContext(readFileSync(join(dist, script), 'utf8'), script);
}

/** Throws with the engine's own words. */
export async function ask(request) {
  const reply = await new Promise((resolve) => {
    answered = resolve;
    globalThis.onmessage({ data: { ...request, id: 0 } });
  });
  if (!reply.ok) throw new Error(reply.error);
  return reply.value;
}
