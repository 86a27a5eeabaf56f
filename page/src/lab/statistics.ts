/** What may be said of members: quantiles, and shares with Wilson's interval. */

const Z = 1.959963984540054; // 97.5 % of the standard normal distribution

/** Return quantiles of the values; NaN counts as infinite: a member that diverged. */
export function quantiles(values: readonly number[], at: readonly number[]): number[] {
  const ranked = values.map((each) => (Number.isNaN(each) ? Infinity : each)).sort((a, b) => a - b);
  return at.map((share) => {
    if (share === 0.5) {
      const middle = (ranked.length - 1) / 2;
      return (ranked[Math.floor(middle)] + ranked[Math.ceil(middle)]) / 2;
    }
    return ranked[Math.min(ranked.length - 1, Math.max(0, Math.ceil(share * ranked.length) - 1))];
  });
}

export interface Comparison {
  readonly below: number;
  readonly decided: number;
  readonly ties: number;
  /** Wilson (1927), 95 %, of the share below among those that differ. */
  readonly interval: readonly [number, number];
  /** Of the sign test. */
  readonly pValue: number;
}

/** Return how often the first number is below the second, member by member. */
export function compared(first: readonly number[], second: readonly number[]): Comparison {
  let [below, ties] = [0, 0];
  first.forEach((each, i) => {
    const a = Number.isNaN(each) ? Infinity : each;
    const b = Number.isNaN(second[i]) ? Infinity : second[i];
    if (a === b) ties++;
    else if (a < b) below++;
  });
  const decided = first.length - ties;
  return { below, decided, ties, interval: wilson(below, decided), pValue: signTest(below, decided) };
}

/** Return how likely a coin's tosses are at least as far from even. */
function signTest(count: number, tosses: number): number {
  let chance = 0.5 ** tosses;
  let tail = 0;
  for (let heads = 0; heads <= Math.min(count, tosses - count); heads++) {
    tail += chance;
    chance *= (tosses - heads) / (heads + 1);
  }
  return Math.min(1, 2 * tail);
}

/** Return p-values corrected for their number (Holm 1979). */
export function holm(pValues: readonly number[]): number[] {
  const ranked = pValues.map((p, i) => [p, i] as const).sort((a, b) => a[0] - b[0]);
  const adjusted = new Array<number>(pValues.length);
  let highest = 0;
  ranked.forEach(([p, i], rank) => {
    highest = Math.max(highest, Math.min(1, p * (pValues.length - rank)));
    adjusted[i] = highest;
  });
  return adjusted;
}

export function wilson(count: number, members: number): [number, number] {
  if (members === 0) return [0, 1];
  const share = count / members;
  const square = (Z * Z) / members;
  const middle = (share + square / 2) / (1 + square);
  const half = (Z * Math.sqrt((share * (1 - share)) / members + square / (4 * members))) / (1 + square);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
