/** WAV files -> samples, so that the numbers are the file's own and the same in every browser. */

/** One channel, the mean of the file's; samples in -1..1 at `rate` Hz. */
export interface Wave {
  rate: number;
  samples: Float32Array;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/**
 * PCM of 8, 16, 24 or 32 bits, and floats of 32 or 64; a file that was cut off is read as far as it goes. Null for
 * anything else, which is left to the browser.
 */
export function readWav(file: ArrayBuffer): Wave | null {
  const view = new DataView(file);
  const text = (at: number): string =>
    at + 4 <= file.byteLength ? String.fromCharCode(...new Uint8Array(file, at, 4)) : '';
  if (text(0) !== 'RIFF' || text(8) !== 'WAVE') return null;
  let format: Format | null = null;
  for (let at = 12; at + 8 <= file.byteLength;) {
    const [name, size] = [text(at), view.getUint32(at + 4, true)];
    const room = Math.min(size, file.byteLength - at - 8);
    if (name === 'fmt ') format = formatOf(new DataView(file, at + 8, room));
    if (name === 'data') return format && mean(new DataView(file, at + 8, room), format);
    at += 8 + size + (size % 2);
  }
  return null;
}

interface Format {
  rate: number;
  channels: number;
  bytes: number;
  read: (view: DataView, at: number) => number;
}

function formatOf(view: DataView): Format | null {
  if (view.byteLength < 16) return null;
  const said = view.getUint16(0, true);
  const kind = said === EXTENSIBLE && view.byteLength >= 26 ? view.getUint16(24, true) : said;
  const [channels, rate] = [view.getUint16(2, true), view.getUint32(4, true)];
  const bits = view.getUint16(14, true);
  const read = READERS[`${kind} ${bits}`];
  return read && channels && rate ? { rate, channels, bytes: bits / 8, read } : null;
}

const READERS: Record<string, Format['read'] | undefined> = {
  [`${PCM} 8`]: (view, at) => (view.getUint8(at) - 128) / 128,
  [`${PCM} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${PCM} 24`]: (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
  [`${PCM} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${FLOAT} 32`]: (view, at) => view.getFloat32(at, true),
  [`${FLOAT} 64`]: (view, at) => view.getFloat64(at, true),
};

function mean(data: DataView, { rate, channels, bytes, read }: Format): Wave {
  const samples = new Float32Array(Math.floor(data.byteLength / (bytes * channels)));
  for (let n = 0, at = 0; n < samples.length; n++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, at += bytes) sum += read(data, at);
    samples[n] = sum / channels;
  }
  return { rate, samples };
}
