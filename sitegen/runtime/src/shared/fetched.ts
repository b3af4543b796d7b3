/** Fetching files of the site, checked before anybody sees or stores them. */

import { payloadOf, verify } from './chunk';
import type { Need } from './needs';

/** A file, and its payload where it is a chunk; else that is the file itself. */
export interface Fetched {
  file: Uint8Array;
  payload: Uint8Array;
}

/**
 * A file, checked against size and SHA-256. An HTTP cache may hold a file that was cut off: a file that fails the check
 * is asked for once more, past that cache. Throws when it cannot be had, or when `signal` ends it.
 */
export async function fetched(
  base: string,
  need: Need,
  mode: RequestCache = 'default',
  signal?: AbortSignal,
): Promise<Fetched> {
  try {
    return await once(base, need, mode, signal);
  } catch (error) {
    if (mode !== 'default' || error instanceof TypeError || signal?.aborted) throw error;
    return once(base, need, 'reload', signal);
  }
}

async function once(base: string, need: Need, mode: RequestCache, signal?: AbortSignal): Promise<Fetched> {
  const response = await fetch(new URL(need.path, base), { cache: mode, ...(signal && { signal }) });
  if (!response.ok) throw new Error(`${need.path}: HTTP ${response.status}`);
  // A body cut off without Content-Length ends like a whole one: only the check tells.
  const file = new Uint8Array(await response.arrayBuffer());
  return { file, payload: await checked(file, need) };
}

/** Gives the payload of a chunk, or the file itself when it is none; throws when it is not what the manifest says. */
export async function checked(file: Uint8Array, need: Need): Promise<Uint8Array> {
  const content = need.chunk ? payloadOf(file, need.sha256, need.bytes) : file;
  await verify(content, need.bytes, need.sha256, need.path);
  return content;
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

/** Stores a file that was checked. */
export async function put(cache: Cache, base: string, path: string, file: Uint8Array): Promise<void> {
  const type = TYPES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
  const headers = { 'Content-Type': type, 'Content-Length': String(file.length) };
  await cache.put(new URL(path, base), new Response(file as BodyInit, { headers }));
}
