/** Files that travel in chunks: fetched a few at a time, put together, inflated. */

import type { FileRef } from './contract';
import { severally } from './severally';

/** What brings the payloads of chunks. */
export interface Transport {
  /** The payload of a chunk, whole. Throws when it cannot be had; a later call tries again. */
  payload(id: string, bytes: number): Promise<Uint8Array>;
}

export type Progress = (loaded: number, total: number) => void;

/**
 * The bytes of several files, in order; `progress` counts payload bytes as they arrive, and `arrived` is told of each file
 * that is whole.
 */
export async function loadFiles(
  transport: Transport,
  refs: FileRef[],
  progress: Progress = () => undefined,
  arrived: (index: number, file: Uint8Array) => void = () => undefined,
): Promise<Uint8Array[]> {
  const payloads = refs.map((ref) => new Uint8Array(sizeOf(ref)));
  const total = payloads.reduce((sum, payload) => sum + payload.length, 0);
  const coming = refs.map((ref) => ref.chunks.length);
  const jobs = refs.flatMap((ref, index) => jobsOf(ref, payloads[index]!, index));
  const decode = async (index: number): Promise<Uint8Array> => {
    const file = await decoded(refs[index]!, payloads[index]!);
    arrived(index, file);
    return file;
  };
  const files = refs.map((ref, index) => (ref.chunks.length === 0 ? decode(index) : undefined));
  let loaded = 0;
  progress(0, total);
  await severally(jobs, async ({ id, target, file }) => {
    target.set(await transport.payload(id, target.length));
    loaded += target.length;
    progress(loaded, total);
    coming[file]! -= 1;
    if (coming[file] === 0) files[file] = decode(file);
  });
  return Promise.all(files as Promise<Uint8Array>[]);
}

/** The bytes that a file travels as. */
export function sizeOf(ref: FileRef): number {
  return ref.chunks.reduce((sum, [, bytes]) => sum + bytes, 0);
}

function jobsOf(
  ref: FileRef,
  payload: Uint8Array,
  file: number,
): { id: string; target: Uint8Array; file: number }[] {
  let offset = 0;
  return ref.chunks.map(([id, bytes]) => {
    const target = payload.subarray(offset, offset + bytes);
    offset += bytes;
    return { id, target, file };
  });
}

async function decoded(ref: FileRef, payload: Uint8Array): Promise<Uint8Array> {
  const data = ref.encoding === 'identity' ? payload : await inflate(payload, ref.bytes, ref.encoding);
  if (data.length !== ref.bytes) throw new Error('a file of the demo is not as long as it should be');
  return data;
}

/** Deflated -> bytes. A writer and a reader: twice as fast as piping streams through one another. */
async function inflate(
  payload: Uint8Array,
  bytes: number,
  format: 'deflate' | 'deflate-raw',
): Promise<Uint8Array> {
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  // Errors of the writer are those of the reader.
  void writer.write(payload as BufferSource).catch(() => undefined);
  void writer.close().catch(() => undefined);
  const reader = stream.readable.getReader();
  const data = new Uint8Array(bytes);
  let filled = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    if (filled + step.value.length > bytes) throw new Error('a file of the demo is longer than it should be');
    data.set(step.value, filled);
    filled += step.value.length;
  }
  return data.subarray(0, filled);
}
