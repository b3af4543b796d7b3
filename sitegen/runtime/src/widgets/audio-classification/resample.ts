/**
 * From one rate to another. Browsers' own ways differ: of a buffer that an OfflineAudioContext plays, Chromium and
 * WebKitGTK draw lines between samples, which makes a tone at 5 kHz of one at 11 kHz; Firefox filters.
 */

// As scipy.signal.resample_poly: zeros of the filter at each side, and its Kaiser window.
const ZEROS = 10;
const BETA = 5;

/** Samples at `from` Hz -> samples at `to` Hz, whole numbers both; zeros are before and after. */
export function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const common = divisor(from, to);
  const [up, down] = [to / common, from / common];
  const { taps, half } = lowpass(up, down);
  const result = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let n = 0; n < result.length; n++) {
    // Where the output's sample is on the grid of both rates.
    const at = n * down;
    const first = Math.max(0, Math.ceil((at - half) / up));
    const last = Math.min(samples.length - 1, Math.floor((at + half) / up));
    let sum = 0;
    for (let k = first; k <= last; k++) sum += samples[k]! * taps[at - k * up + half]!;
    result[n] = sum;
  }
  return result;
}

/** A windowed sinc that cuts off at the lower rate's half and sums up to `up`; its middle is at `half`. */
function lowpass(up: number, down: number): { taps: Float64Array; half: number } {
  const widest = Math.max(up, down);
  const half = ZEROS * widest;
  const taps = Float64Array.from({ length: 2 * half + 1 }, (_, n) => {
    const x = (Math.PI * (n - half)) / widest;
    return (x ? Math.sin(x) / x : 1) * bessel(BETA * Math.sqrt(1 - ((n - half) / half) ** 2));
  });
  const sum = taps.reduce((a, b) => a + b, 0);
  return { taps: taps.map((tap) => (tap * up) / sum), half };
}

/** The modified Bessel function of the first kind and order 0, by its power series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function divisor(a: number, b: number): number {
  return b ? divisor(b, a % b) : a;
}
