/**
 * A binary range coder with adaptive probabilities: LZMA's (7-Zip's LzmaSpec), with two estimates for each probability, a
 * quick and a slow one, whose mean counts. Encoder and decoder have the same methods, so that what is said about a
 * stream is said once (coded.ts): the encoder returns what it is given, the decoder what it reads.
 */

/** Probabilities of a 1, in 1/65536, by context. */
export class Contexts {
  readonly quick: Uint16Array;
  readonly slow: Uint16Array;

  constructor(initial: Uint16Array) {
    this.quick = initial.slice();
    this.slow = initial.slice();
  }

  /** In 1/4096, and never so near to 0 or 4096 that the rarer bit could not be coded. */
  probability(context: number): number {
    const mean = (this.quick[context]! + this.slow[context]!) >> 5;
    return mean < 16 ? 16 : mean > 4080 ? 4080 : mean;
  }

  update(context: number, bit: number): void {
    const { quick, slow } = this;
    if (bit) {
      quick[context]! += (65535 - quick[context]!) >> 5;
      slow[context]! += (65535 - slow[context]!) >> 8;
    } else {
      quick[context]! -= quick[context]! >> 5;
      slow[context]! -= slow[context]! >> 8;
    }
  }
}

export interface Coder {
  /** One bit, of the probability that its context has come to. */
  bit(context: number, bit: number): number;
  /** One bit of which nothing is known. */
  even(bit: number): number;
}

const TOP = 1 << 24;

export class Decoder implements Coder {
  private range = 0xffffffff;
  private code = 0;
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly contexts: Contexts,
  ) {
    // The first byte is the encoder's carry, always 0.
    if (this.next() !== 0) throw new Error('the weights are damaged: their stream begins wrongly');
    for (let i = 0; i < 4; i++) this.code = ((this.code << 8) | this.next()) >>> 0;
  }

  bit(context: number): number {
    const bound = (this.range >>> 12) * this.contexts.probability(context);
    const bit = this.code < bound ? 1 : 0;
    if (bit) this.range = bound;
    else this.skip(bound);
    this.contexts.update(context, bit);
    this.normalize();
    return bit;
  }

  even(): number {
    this.range >>>= 1;
    const bit = this.code < this.range ? 0 : 1;
    if (bit) this.code -= this.range;
    this.normalize();
    return bit;
  }

  /** Throws unless the stream ends here. */
  end(): void {
    if (this.at !== this.bytes.length) throw new Error('the weights are damaged: their stream is too long');
  }

  private skip(bound: number): void {
    this.code -= bound;
    this.range -= bound;
  }

  private normalize(): void {
    while (this.range < TOP) {
      this.range = (this.range << 8) >>> 0;
      this.code = ((this.code << 8) | this.next()) >>> 0;
    }
  }

  private next(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('the weights are damaged: their stream is too short');
    return byte;
  }
}

export class Encoder implements Coder {
  private bytes = new Uint8Array(1 << 16);
  private length = 0;
  private low = 0;
  private range = 0xffffffff;
  /** The last byte, and how many 0xff after it wait for a carry. */
  private last = 0;
  private waiting = 1;

  constructor(private readonly contexts: Contexts) {}

  bit(context: number, bit: number): number {
    const bound = (this.range >>> 12) * this.contexts.probability(context);
    if (bit) {
      this.range = bound;
    } else {
      this.low += bound;
      this.range -= bound;
    }
    this.contexts.update(context, bit);
    this.normalize();
    return bit;
  }

  even(bit: number): number {
    this.range >>>= 1;
    if (bit) this.low += this.range;
    this.normalize();
    return bit;
  }

  /** How many bytes there are so far, but for those that wait for a carry. */
  get size(): number {
    return this.length;
  }

  /** The whole stream. */
  finish(): Uint8Array {
    for (let i = 0; i < 5; i++) this.shift();
    return this.bytes.slice(0, this.length);
  }

  private normalize(): void {
    while (this.range < TOP) {
      this.range = (this.range << 8) >>> 0;
      this.shift();
    }
  }

  private shift(): void {
    // `low` has 33 bits: the highest is a carry into what was written.
    const carry = this.low > 0xffffffff ? 1 : 0;
    const low = this.low >>> 0;
    if (low < 0xff000000 || carry) {
      for (; this.waiting > 0; this.waiting--) {
        this.write((this.last + carry) & 0xff);
        this.last = 0xff;
      }
      this.last = low >>> 24;
    }
    this.waiting++;
    this.low = (low << 8) >>> 0;
  }

  private write(byte: number): void {
    if (this.length === this.bytes.length) {
      const longer = new Uint8Array(this.length * 2);
      longer.set(this.bytes);
      this.bytes = longer;
    }
    this.bytes[this.length++] = byte;
  }
}
