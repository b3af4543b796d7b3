/** Chunk payloads that the page itself brings, in elements with base64 (sitegen/export/single.py). */

import { verify } from '../shared/chunk';
import type { Transport } from '../shared/files';

const chosen = (id: string): string => `script[data-chunk="${id}"]`;

/** Whether there are any. */
export const inPage = (): boolean => document.querySelector('script[data-chunk]') !== null;

export const byElement = (): Transport => ({
  async payload(id, bytes) {
    const pieces = [...document.querySelectorAll(chosen(id))].map((piece) => atob(piece.textContent));
    const payload = new Uint8Array(bytes);
    let filled = 0;
    for (const piece of pieces) {
      for (let i = 0; i < piece.length; i++) payload[filled + i] = piece.charCodeAt(i);
      filled += piece.length;
    }
    if (filled !== bytes) throw new Error('this file is not whole: get it again');
    await verify(payload, bytes, id, 'a part of this file');
    return payload;
  },
});
