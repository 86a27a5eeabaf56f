/** Philox4x64-10 (Salmon et al. 2011), stepped as NumPy steps it. */

import { mask, type Source } from "./source";
import { TAIL, tables } from "./ziggurat";

const MASK = (1n << 64n) - 1n;
const [M0, M1] = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const [W0, W1] = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const LOW_51 = (1n << 52n) - 1n;

export class Philox implements Source {
  #counter = 0n;
  #words: bigint[] = [];
  #half: number | null = null;

  constructor(
    private readonly key0: bigint,
    private readonly key1: bigint,
  ) {}

  /** Return the next 64 bits. */
  word(): bigint {
    if (this.#words.length === 0) this.#refill();
    return this.#words.pop() as bigint;
  }

  /** The counter has 256 bits, of which a page never needs more than the lowest 64. */
  #refill(): void {
    this.#counter += 1n;
    let [a, b, c, d] = [this.#counter, 0n, 0n, 0n];
    let [k0, k1] = [this.key0, this.key1];
    for (let round = 0; round < 10; round++) {
      const p = M0 * a;
      const q = M1 * c;
      [a, b, c, d] = [(q >> 64n) ^ b ^ k0, q & MASK, (p >> 64n) ^ d ^ k1, p & MASK];
      k0 = (k0 + W0) & MASK;
      k1 = (k1 + W1) & MASK;
    }
    this.#words = [d, c, b, a];
  }

  /** Return 32 bits: the lower half of a word, then the upper one. */
  half(): number {
    if (this.#half !== null) {
      const kept = this.#half;
      this.#half = null;
      return kept;
    }
    const word = this.word();
    this.#half = Number(word >> 32n);
    return Number(word & 0xffffffffn);
  }

  uniform(): number {
    return Number(this.word() >> 11n) / 2 ** 53;
  }

  upTo(most: number): number {
    if (most === 0) return 0;
    const bits = mask(most);
    for (;;) {
      const found = (this.half() & bits) >>> 0;
      if (found <= most) return found;
    }
  }

  /** Marsaglia & Tsang (2000), 256 layers, with NumPy's tables. */
  normal(): number {
    const { k, w, f } = tables();
    for (;;) {
      const word = this.word();
      const layer = Number(word & 0xffn);
      const isNegative = ((word >> 8n) & 1n) === 1n;
      const bits = (word >> 9n) & LOW_51;
      const size = Number(bits) * w[layer];
      const x = isNegative ? -size : size;
      if (bits < k[layer]) return x;
      if (layer === 0) return this.#tail(((bits >> 8n) & 1n) === 1n);
      const height = (f[layer - 1] - f[layer]) * this.uniform() + f[layer];
      if (height < Math.exp(-0.5 * x * x)) return x;
    }
  }

  #tail(isNegative: boolean): number {
    for (;;) {
      const x = -Math.log1p(-this.uniform()) / TAIL;
      const y = -Math.log1p(-this.uniform());
      if (y + y > x * x) return isNegative ? -(TAIL + x) : TAIL + x;
    }
  }
}
