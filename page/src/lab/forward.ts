/** One network in plain code, for pictures: what it answers. */

import { places, type Network } from "./layout";
import type { Activation } from "./names";
import type { Examples } from "./problems";

type Elementwise = (z: number) => number;

const sigmoid: Elementwise = (z) => 1 / (1 + Math.exp(-z));
const SELU = [1.0507009873554805, 1.6732632423543772] as const;

/** Abramowitz & Stegun (1964), 7.1.26, error under 1.5e-7: enough for a picture. */
export function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

const normalShare: Elementwise = (z) => (1 + erf(z / Math.SQRT2)) / 2;

export const FUNCTIONS: Readonly<Record<Activation, Elementwise>> = {
  relu: (z) => Math.max(z, 0),
  leaky_relu: (z) => (z > 0 ? z : 0.01 * z),
  tanh: Math.tanh,
  sigmoid,
  erf,
  gelu: (z) => z * normalShare(z),
  silu: (z) => z * sigmoid(z),
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  selu: (z) => SELU[0] * (z > 0 ? z : SELU[1] * Math.expm1(z)),
  softplus: (z) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0),
  sin: Math.sin,
  identity: (z) => z,
};

/** A network at one moment. */
export interface Moment {
  readonly network: Network;
  readonly activation: Activation;
  readonly parameters: Float32Array;
  readonly running: Float32Array;
}

/** What every layer puts out for one example; the last is logits. */
export class Pass {
  readonly outputs: Float64Array[];
  readonly #places;
  readonly #scales: number;

  constructor(readonly moment: Moment) {
    const { widths } = moment.network;
    this.outputs = widths.map((units) => new Float64Array(units));
    this.#places = places(moment.network);
    this.#scales = this.#places.reduce((end, each, l) => Math.max(end, each.bias + widths[l + 1]), 0);
  }

  /** Return the logits; batch norm with its running values. */
  forward(x0: number, x1: number): Float64Array {
    const { network, activation, parameters, running } = this.moment;
    const f = FUNCTIONS[activation];
    this.outputs[0][0] = x0;
    this.outputs[0][1] = x1;
    let unit = 0;
    for (let layer = 0; layer < network.layers; layer++) {
      const below = this.outputs[layer];
      const above = this.outputs[layer + 1];
      const { weight, bias } = this.#places[layer];
      const isLast = layer === network.layers - 1;
      for (let j = 0; j < above.length; j++) {
        let z = 0;
        const row = weight + j * below.length;
        for (let i = 0; i < below.length; i++) z += parameters[row + i] * below[i];
        if (network.batchNorm && !isLast) {
          const [mean, variance] = [running[2 * unit], running[2 * unit + 1]];
          z = ((z - mean) / Math.sqrt(variance + 1e-5)) * parameters[this.#scales + unit];
          unit++;
        }
        z += parameters[bias + j];
        above[j] = isLast ? z : f(z);
      }
    }
    return this.outputs[network.layers];
  }
}

/** Return the probability of class 1, or one of every class. */
export function probabilities(logits: Float64Array): Float64Array {
  if (logits.length === 1) return Float64Array.of(sigmoid(logits[0]));
  const top = Math.max(...logits);
  const powers = logits.map((each) => Math.exp(each - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((each) => each / sum);
}

/** Return what every layer puts out at one moment: all examples, unit by unit. */
export function activationsOf(moment: Moment, { x, classes }: Examples): Float64Array[] {
  const pass = new Pass(moment);
  const { widths } = moment.network;
  const found = widths.slice(1).map((units) => new Float64Array(units * classes.length));
  for (let e = 0; e < classes.length; e++) {
    pass.forward(x[2 * e], x[2 * e + 1]);
    found.forEach((all, layer) => all.set(pass.outputs[layer + 1], e * widths[layer + 1]));
  }
  return found;
}
