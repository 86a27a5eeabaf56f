/** NumPy's RandomState: MT19937 (Matsumoto & Nishimura 1998), for legacy numbers. */

import { mask, type Source } from "./source";

const [SIZE, SHIFT] = [624, 397];

export class Mersenne implements Source {
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;
  #kept: number | null = null;

  constructor(seed: number) {
    let value = seed >>> 0;
    for (let i = 0; i < SIZE; i++) {
      this.#state[i] = value;
      value = (Math.imul(1812433253, value ^ (value >>> 30)) + i + 1) >>> 0;
    }
  }

  /** Return the next 32 bits. */
  half(): number {
    if (this.#at === SIZE) this.#turn();
    let y = this.#state[this.#at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #turn(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }

  uniform(): number {
    const upper = this.half() >>> 5;
    return (upper * 67108864 + (this.half() >>> 6)) / 9007199254740992;
  }

  upTo(most: number): number {
    if (most === 0) return 0;
    const bits = mask(most);
    for (;;) {
      const found = (this.half() & bits) >>> 0;
      if (found <= most) return found;
    }
  }

  /** The polar method (Marsaglia & Bray 1964); every other number was kept. */
  normal(): number {
    if (this.#kept !== null) {
      const kept = this.#kept;
      this.#kept = null;
      return kept;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square < 1 && square !== 0) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.#kept = factor * x;
        return factor * y;
      }
    }
  }
}
