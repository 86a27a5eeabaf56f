/** The only seeding, as `initlab.rng` specifies it: a stream of its own per tensor. */

import { Philox } from "./philox";
import { sha256 } from "./sha256";

/** Return the source that belongs to this path, and to no other. */
export function stream(rootSeed: number, ...path: (string | number)[]): Philox {
  const digest = new DataView(sha256(JSON.stringify([rootSeed, ...path])).buffer);
  return new Philox(digest.getBigUint64(0, true), digest.getBigUint64(8, true));
}
