/** One network in plain code, for pictures: what it answers, and its gradient. */

import type { Network } from "./layout";
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
const density: Elementwise = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** Value and slope of every activation. */
export const FUNCTIONS: Readonly<Record<Activation, readonly [Elementwise, Elementwise]>> = {
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
  tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
  sigmoid: [sigmoid, (z) => sigmoid(z) * sigmoid(-z)],
  erf: [erf, (z) => (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z)],
  gelu: [(z) => z * normalShare(z), (z) => normalShare(z) + z * density(z)],
  silu: [(z) => z * sigmoid(z), (z) => sigmoid(z) * (1 + z * sigmoid(-z))],
  elu: [(z) => (z > 0 ? z : Math.expm1(z)), (z) => (z > 0 ? 1 : Math.exp(z))],
  selu: [
    (z) => SELU[0] * (z > 0 ? z : SELU[1] * Math.expm1(z)),
    (z) => SELU[0] * (z > 0 ? 1 : SELU[1] * Math.exp(z)),
  ],
  softplus: [(z) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0), sigmoid],
  sin: [Math.sin, Math.cos],
  identity: [(z) => z, () => 1],
};

/** A network at one moment. */
export interface Moment {
  readonly network: Network;
  readonly activation: Activation;
  readonly parameters: Float32Array;
  readonly running: Float32Array;
}

/** Where a layer's weight and bias begin among the parameters. */
export function places({ widths, layers }: Network): { weight: number; bias: number }[] {
  let at = 0;
  return Array.from({ length: layers }, (_, layer) => {
    const weight = at;
    const bias = weight + widths[layer] * widths[layer + 1];
    at = bias + widths[layer + 1];
    return { weight, bias };
  });
}

/** What every layer puts out for one example; the last is logits. */
export class Pass {
  readonly outputs: Float64Array[];
  readonly sums: Float64Array[];
  readonly #places;
  readonly #scales: number;

  constructor(readonly moment: Moment) {
    const { widths } = moment.network;
    this.outputs = widths.map((units) => new Float64Array(units));
    this.sums = widths.map((units) => new Float64Array(units));
    this.#places = places(moment.network);
    this.#scales = this.#places.reduce((end, each, l) => Math.max(end, each.bias + widths[l + 1]), 0);
  }

  /** Return the logits; batch norm with its running values. */
  forward(x0: number, x1: number): Float64Array {
    const { network, activation, parameters, running } = this.moment;
    const f = FUNCTIONS[activation][0];
    this.outputs[0][0] = x0;
    this.outputs[0][1] = x1;
    let unit = 0;
    for (let layer = 0; layer < network.layers; layer++) {
      const below = this.outputs[layer];
      const above = this.outputs[layer + 1];
      const sums = this.sums[layer + 1];
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
        sums[j] = z;
        above[j] = isLast ? z : f(z);
      }
    }
    return this.outputs[network.layers];
  }

  /** Add the loss gradient of one example to `gradient`, after its `forward`. */
  backward(target: number, share: number, gradient: Float64Array): void {
    const { network, activation, parameters } = this.moment;
    const slope = FUNCTIONS[activation][1];
    const logits = this.outputs[network.layers];
    let delta = Array.from(probabilities(logits), (p, k) =>
      share * (p - (logits.length === 1 ? target : Number(k === target))),
    );
    for (let layer = network.layers - 1; layer >= 0; layer--) {
      const below = this.outputs[layer];
      const { weight, bias } = this.#places[layer];
      const next = new Array<number>(below.length).fill(0);
      for (let j = 0; j < delta.length; j++) {
        const row = weight + j * below.length;
        gradient[bias + j] += delta[j];
        for (let i = 0; i < below.length; i++) {
          gradient[row + i] += delta[j] * below[i];
          next[i] += delta[j] * parameters[row + i];
        }
      }
      if (layer) delta = next.map((each, i) => each * slope(this.sums[layer][i]));
    }
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

/** What the layers hold over all examples at one moment. */
export interface Anatomy {
  /** Outputs of every layer, all examples and units. */
  readonly activations: Float64Array[];
  /** Loss gradient by every parameter; null with batch norm, which is not in it. */
  readonly gradient: Float64Array | null;
}

export function anatomy(moment: Moment, examples: Examples): Anatomy {
  const pass = new Pass(moment);
  const count = examples.classes.length;
  const { network } = moment;
  const activations = network.widths.slice(1).map((units) => new Float64Array(units * count));
  const gradient = network.batchNorm ? null : new Float64Array(moment.parameters.length);
  for (let e = 0; e < count; e++) {
    pass.forward(examples.x[2 * e], examples.x[2 * e + 1]);
    activations.forEach((all, layer) => {
      const out = pass.outputs[layer + 1];
      all.set(out, e * out.length);
    });
    if (gradient) pass.backward(examples.classes[e], 1 / count, gradient);
  }
  return { activations, gradient };
}
