/** What a wide network does to a signal at its start: the mean field's recursion. */

import { FUNCTIONS } from "./forward";
import { stdOf } from "./inits";
import type { Network } from "./layout";
import type { Data } from "./problems";
import type { Init, Study } from "./study";

const [REACH, POINTS] = [8, 400];

/** Return the mean of f over a normal distribution (trapezoids: exact to 1e-10 here). */
function gaussianMean(f: (z: number) => number): number {
  const step = (2 * REACH) / POINTS;
  let sum = 0;
  for (let i = 0; i <= POINTS; i++) {
    const z = -REACH + i * step;
    sum += f(z) * Math.exp(-0.5 * z * z) * step;
  }
  return sum / Math.sqrt(2 * Math.PI);
}

/**
 * Return the root mean square of every layer's outputs, as a wide network would have it.
 *
 * Null where the entries have a mean. Poole et al. (2016), eq. 3: q = fan_in var(w) E f(sqrt(q) z)^2 + var(b).
 */
export function predictedRms(
  study: Study, network: Network, data: Data, init: Init,
): number[] | null {
  const { low = 0, high = 0 } = init.parameters;
  if (init.name === "constant" || low + high !== 0) return null; // entries with a mean
  const f = FUNCTIONS[study.activation];
  const { x } = data.train;
  // The sum of squares over a layer's units.
  let square = (2 * x.reduce((sum, each) => sum + each * each, 0)) / x.length;
  return network.widths.slice(1).map((fanOut, layer) => {
    const fanIn = network.widths[layer];
    const variance = stdOf(init, fanOut, fanIn) ** 2 * square;
    const isLast = layer === network.layers - 1;
    const spread = Math.sqrt(variance);
    const normalized = network.batchNorm && !isLast ? 1 : spread;
    const mean = isLast
      ? variance + init.bias ** 2
      : gaussianMean((z) => f(normalized * z + init.bias) ** 2);
    square = mean * fanOut;
    return Math.sqrt(mean);
  });
}
