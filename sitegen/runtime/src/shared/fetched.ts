/** Fetching files of the site, checked before anybody sees or stores them. */

import { payloadOf, verify } from './chunk';
import type { Need } from './needs';

/** A file, and its payload where it is a chunk; else that is the file itself. */
export interface Fetched {
  file: Uint8Array;
  payload: Uint8Array;
}

/** A request that is under way. */
export interface Asked {
  response: Promise<Response>;
  ending: AbortController;
}

/**
 * How a file is asked for; `asked` is how it was already, `pauses` are those before it is asked for again, and `signal`
 * ends it.
 */
interface How {
  mode?: RequestCache;
  asked?: Asked | undefined;
  pauses?: readonly number[] | undefined;
  signal?: AbortSignal | undefined;
}

/** A host that sends nothing for so long is taken for gone; what failed is asked for again after these pauses. */
const SILENCE = 15_000;
const PAUSES = [300, 2_000];

/** The host has answered, and will not answer otherwise. */
class Refused extends Error {}

/**
 * A file, checked against size and SHA-256. What was cut off, damaged or stalled is asked for again, past the HTTP cache,
 * which may be what holds half a file. Throws when it cannot be had, or when it was ended.
 */
export async function fetched(
  base: string,
  need: Need,
  { mode = 'default', asked, pauses = PAUSES, signal }: How = {},
): Promise<Fetched> {
  for (let turn = 0; ; turn++) {
    try {
      if (turn === 0 && asked) return await once(need, asked, signal);
      const ending = new AbortController();
      const cache = turn > 0 && mode === 'default' ? 'reload' : mode;
      const response = fetch(new URL(need.path, base), { cache, signal: ending.signal });
      return await once(need, { response, ending }, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      const pause = pauses[turn];
      if (pause !== undefined && navigator.onLine && !(error instanceof Refused)) {
        await new Promise((resolve) => setTimeout(resolve, pause));
      } else if (error instanceof TypeError && navigator.onLine) {
        throw new Error(`${need.path}: the host does not answer`);
      } else throw error;
    }
  }
}

async function once(need: Need, { response: coming, ending }: Asked, signal?: AbortSignal): Promise<Fetched> {
  const end = (): void => ending.abort(signal?.reason);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(new Error(`${need.path}: the host has fallen silent`)), SILENCE);
  };
  heard();
  try {
    const response = await coming;
    if (!response.ok) {
      const { status } = response;
      const final = status < 500 && status !== 408 && status !== 429;
      throw new (final ? Refused : Error)(`${need.path}: HTTP ${status}`);
    }
    const pieces: BlobPart[] = [];
    const reader = response.body!.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      heard();
      pieces.push(step.value as BlobPart);
    }
    // A body cut off without Content-Length ends like a whole one: only the check tells.
    const file = new Uint8Array(await new Blob(pieces).arrayBuffer());
    return { file, payload: await checked(file, need) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

/** Gives the payload of a chunk, or the file itself when it is none; throws when it is not what the manifest says. */
async function checked(file: Uint8Array, need: Need): Promise<Uint8Array> {
  const content = need.chunk ? payloadOf(file, need.sha256, need.bytes) : file;
  await verify(content, need.bytes, need.sha256, need.path);
  return content;
}

/** The payload of a stored file; null when there is none, or it is damaged. */
export async function intact(stored: Response | undefined, need: Need): Promise<Uint8Array | null> {
  return stored ? checked(new Uint8Array(await stored.arrayBuffer()), need).catch(() => null) : null;
}

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  avif: 'image/avif',
  mp4: 'video/mp4',
  webm: 'video/webm',
  ogv: 'video/ogg',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  wav: 'audio/wav',
  vtt: 'text/vtt; charset=utf-8',
  woff2: 'font/woff2',
};

/** Stores a file that was checked. Throws when it cannot be stored. */
export async function put(cache: Cache, base: string, path: string, file: Uint8Array): Promise<void> {
  const type = TYPES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
  const headers = { 'Content-Type': type, 'Content-Length': String(file.length) };
  await roomFor(cache.put(new URL(path, base), new Response(file as BodyInit, { headers })));
}

/** Waits until something is stored. Throws, in words where there is no room, when it cannot be. */
export async function roomFor(storing: Promise<void>): Promise<void> {
  try {
    await storing;
  } catch (error) {
    const full = (error as DOMException).name === 'QuotaExceededError';
    throw full ? new Error('there is no room left for it on this device') : error;
  }
}
