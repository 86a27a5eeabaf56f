/** What initializers draw from: NumPy's Generator or RandomState, as Python has them. */
export interface Source {
  /** A number of the standard normal distribution. */
  normal(): number;
  /** A number in [0, 1). */
  uniform(): number;
  /** A whole number from 0 to `most`, as shuffles draw it. */
  upTo(most: number): number;
}

/** Shuffle in place, as NumPy's `shuffle` does (Fisher and Yates, from the end). */
export function shuffle(values: Int32Array, source: Source): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = source.upTo(i);
    [values[i], values[j]] = [values[j], values[i]];
  }
}

/** Return a word's lowest bits, so many that `most` fits in. */
export function mask(most: number): number {
  return 2 ** (32 - Math.clz32(most)) - 1;
}
