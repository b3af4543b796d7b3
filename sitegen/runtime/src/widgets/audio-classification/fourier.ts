/** The discrete Fourier transform of real signals, by Cooley and Tukey's radix 2. */

/**
 * Gives what turns a signal of `size` samples or fewer (zeros follow) into the magnitudes |X[k]| for k = 0..size/2. The
 * size is a power of two. What is given back is overwritten by the next call.
 */
export function fourier(size: number): (signal: ArrayLike<number>) => Float64Array {
  const order = reversed(size);
  const cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
  const sin = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  const magnitudes = new Float64Array(size / 2 + 1);
  return (signal) => {
    for (let n = 0; n < size; n++) re[order[n]!] = n < signal.length ? signal[n]! : 0;
    im.fill(0);
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let block = 0; block < size; block += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [a, b] = [block + k, block + k + half];
          const [c, s] = [cos[k * stride]!, sin[k * stride]!];
          const x = re[b]! * c - im[b]! * s;
          const y = re[b]! * s + im[b]! * c;
          re[b] = re[a]! - x;
          im[b] = im[a]! - y;
          re[a]! += x;
          im[a]! += y;
        }
      }
    }
    for (let k = 0; k < magnitudes.length; k++) magnitudes[k] = Math.hypot(re[k]!, im[k]!);
    return magnitudes;
  };
}

/** Each index with its bits in reverse. */
function reversed(size: number): Uint32Array {
  const order = new Uint32Array(size);
  for (let n = 1; n < size; n++) order[n] = (order[n >> 1]! >> 1) | (n & 1 ? size >> 1 : 0);
  return order;
}
