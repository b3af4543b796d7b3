/**
 * Chunk payloads for this page: over http from the store or the network, on file:// by script elements, since nothing
 * can be fetched there.
 */

import { chunkPath, verify } from '../shared/chunk';
import { fetched, intact, put, type Asked } from '../shared/fetched';
import type { Transport } from '../shared/files';
import type { Need } from '../shared/needs';
import { AT_ONCE } from '../shared/severally';
import { mayBeStored, remember } from './stored';

/** A disk that takes longer for a file does not hold up the demo. */
const slowly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_000));

/** A transport that stores what it fetches. */
interface Keeping extends Transport {
  /** Waits until all that was asked for so far is stored, or cannot be. */
  stored(): Promise<void>;
}

/** Those who ask for a chunk that is on its way get the same one. */
class Shared<Source extends Transport> implements Transport {
  private readonly coming = new Map<string, Promise<Uint8Array>>();

  constructor(protected readonly source: Source) {}

  payload(id: string, bytes: number): Promise<Uint8Array> {
    let payload = this.coming.get(id);
    if (!payload) {
      payload = this.source.payload(id, bytes).finally(() => this.coming.delete(id));
      this.coming.set(id, payload);
    }
    return payload;
  }
}

class SharedKeeping extends Shared<Keeping> implements Keeping {
  stored(): Promise<void> {
    return this.source.stored();
  }
}

class HttpTransport implements Keeping {
  private readonly storing = new Set<Promise<void>>();

  constructor(
    private readonly base: string,
    private readonly store: Promise<Cache> | null,
    private readonly keeping: () => boolean,
  ) {}

  async payload(id: string, bytes: number): Promise<Uint8Array> {
    const need: Need = { path: chunkPath(id), bytes, sha256: id, chunk: true };
    const store = mayBeStored(this.base) ? await this.store : null;
    const kept = await store?.match(new URL(need.path, this.base));
    const whole = await intact(kept, need);
    if (whole) return whole;
    // What is on its way into the store is lost when the browser ends: that is to be a few at most.
    if (this.storing.size >= AT_ONCE) await Promise.race([...this.storing, slowly()]);
    // What is damaged is what the service worker would answer with, too.
    const { file, payload } = await fetched(this.base, need, {
      mode: kept ? 'reload' : 'default',
      asked: kept ? undefined : early(id),
    });
    // Neither a full disk nor a slow one must keep the demo from running.
    if (this.store && this.keeping()) {
      const storing = this.put(this.store, need, file).catch(() => undefined);
      this.storing.add(storing);
      void storing.then(() => this.storing.delete(storing));
    }
    return payload;
  }

  private async put(store: Promise<Cache>, need: Need, file: Uint8Array): Promise<void> {
    remember(this.base);
    await put(await store, this.base, need.path, file);
  }

  async stored(): Promise<void> {
    await Promise.all(this.storing);
  }
}

/** The request for a chunk that the page's head has made; whoever asks first gets it. */
function early(id: string): Asked | undefined {
  const asked = globalThis.sitegenEarly?.get(id);
  globalThis.sitegenEarly?.delete(id);
  return asked;
}

declare global {
  /** By the ids of chunks: early.ts. */
  var sitegenEarly: Map<string, Asked> | undefined;
  /** What chunk files call; payloads come as text, one byte a character. */
  var sitegenChunk: ((id: string, payload: string) => void) | undefined;
}

class FileTransport implements Transport {
  private readonly waiting = new Map<string, (payload: string) => void>();

  constructor(private readonly base: string) {
    globalThis.sitegenChunk = (id, payload) => this.waiting.get(id)?.(payload);
  }

  async payload(id: string, bytes: number): Promise<Uint8Array> {
    const text = await this.text(new URL(chunkPath(id), this.base).href, id);
    const payload = new Uint8Array(text.length);
    // x-user-defined maps the bytes from 0x80 to U+F780 and up: the low eight bits are the byte.
    for (let i = 0; i < text.length; i++) payload[i] = text.charCodeAt(i);
    await verify(payload, bytes, id, chunkPath(id));
    return payload;
  }

  private text(src: string, id: string): Promise<string> {
    const script = document.createElement('script');
    const text = new Promise<string>((resolve, reject) => {
      const missing = (): void =>
        reject(new Error(`${chunkPath(id)} is missing beside this page, or is damaged`));
      this.waiting.set(id, resolve);
      script.charset = 'x-user-defined';
      script.src = src;
      script.onerror = missing;
      // A script that ran has called back by now; rejecting after that does nothing.
      script.onload = missing;
      document.head.append(script);
    });
    return text.finally(() => {
      this.waiting.delete(id);
      script.remove();
    });
  }
}

/** By http; `store` is the cache of kept files, if there is one; what comes in is stored there while `keeping`. */
export const byHttp = (base: string, store: Promise<Cache> | null, keeping: () => boolean): Keeping =>
  new SharedKeeping(new HttpTransport(base, store, keeping));

/** By script elements, on file://. */
export const byScript = (base: string): Transport => new Shared(new FileTransport(base));
