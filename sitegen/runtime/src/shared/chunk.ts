/**
 * Reading chunk files, `sitegenChunk("<id>","<payload>")\n`: the twin of sitegen/chunks.py. The payload is raw bytes
 * with backslash, double quote, LF and CR escaped; the id is the SHA-256 of the raw payload.
 */

const UNESCAPED: Record<number, number> = { 0x5c: 0x5c, 0x22: 0x22, 0x6e: 0x0a, 0x72: 0x0d };
const HEAD = 14; // sitegenChunk("
const TAIL = 3; // ")\n

/** The payload of a chunk file. Throws when the file is not that chunk, whole. */
export function payloadOf(file: Uint8Array, id: string, bytes: number): Uint8Array {
  const start = HEAD + id.length + 3;
  const end = file.length - TAIL;
  const head = new TextDecoder().decode(file.subarray(0, start));
  if (head !== `sitegenChunk("${id}","` || file[end] !== 0x22 || file[end + 1] !== 0x29) {
    throw new Error(`chunk ${id} is damaged`);
  }
  const payload = unescape(file, start, end, bytes);
  if (payload === null) throw new Error(`chunk ${id} is damaged`);
  return payload;
}

function unescape(file: Uint8Array, start: number, end: number, bytes: number): Uint8Array | null {
  const payload = new Uint8Array(bytes);
  let at = start;
  let filled = 0;
  while (at < end) {
    let slash = file.indexOf(0x5c, at);
    if (slash < 0 || slash > end) slash = end;
    if (filled + slash - at > bytes) return null;
    payload.set(file.subarray(at, slash), filled);
    filled += slash - at;
    at = slash;
    if (at < end) {
      const raw = UNESCAPED[file[at + 1] ?? 0];
      if (raw === undefined || filled === bytes) return null;
      payload[filled++] = raw;
      at += 2;
    }
  }
  return filled === bytes ? payload : null;
}

/** SHA-256 in hex, or null where the browser offers none (plain http from another machine). */
export async function sha256(data: Uint8Array): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Throws unless `data` is what the manifest says; without a hash function, the length has to do. */
export async function verify(data: Uint8Array, bytes: number, expected: string, what: string): Promise<void> {
  const found = data.length === bytes ? await sha256(data) : '';
  if (found !== null && found !== expected) throw new Error(`${what} did not arrive whole`);
}

/** Where a chunk lies in a site. */
export const chunkPath = (id: string): string => `chunks/${id}.js`;
