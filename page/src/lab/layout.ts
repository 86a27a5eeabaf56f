/** A study as kernels read it, and how much memory they need: `engine/_layout.py`. */

import { ACTIVATIONS, LOSSES, OPTIMIZERS, type Loss } from "./names";
import type { Data } from "./problems";
import type { Study } from "./study";

// Networks in a vector of 128 bits; examples that kernels take at once; such tiles.
export const [LANES, TILE, STRIP] = [4, 4, 6];
const [RIGHT_SIGN, RIGHT_CLASS] = [0, 2];

/** What follows from study and data: layers, loss, and the kernels' plan of them. */
export interface Network {
  readonly widths: readonly number[];
  readonly loss: Loss;
  readonly layers: number;
  readonly batchNorm: boolean;
  readonly optimizer: number;
  readonly plan: Int32Array;
}

export function networkOf(study: Study, data: Data): Network {
  const classes = data.classNames.length;
  const loss: Loss = classes === 2 ? "binary_cross_entropy" : "softmax_cross_entropy";
  const widths = [2, ...study.hidden, classes === 2 ? 1 : classes];
  const optimizer = OPTIMIZERS.indexOf(study.optimizer);
  const batchNorm = study.batchNorm && study.hidden.length > 0;
  return {
    widths,
    loss,
    layers: widths.length - 1,
    batchNorm,
    optimizer,
    plan: Int32Array.of(
      widths.length - 1,
      ACTIVATIONS.indexOf(study.activation),
      LOSSES.indexOf(loss),
      optimizer,
      Number(batchNorm),
      classes === 2 ? RIGHT_SIGN : RIGHT_CLASS,
      ...widths,
    ),
  };
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

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export const tiles = (examples: number): number => Math.ceil(examples / TILE);

const hiddenUnits = ({ widths }: Network): number => sum(widths.slice(1, -1));

export function parameterCount(network: Network): number {
  const { widths } = network;
  const own = sum(widths.slice(1).map((fanOut, l) => (widths[l] + 1) * fanOut));
  return own + (network.batchNorm ? hiddenUnits(network) : 0);
}

export const stateCount = (network: Network): number =>
  parameterCount(network) * network.optimizer;

export const runningCount = (network: Network): number =>
  network.batchNorm ? 2 * hiddenUnits(network) : 0;

export function scratchCount(network: Network, examples: number): number {
  const units = sum(network.widths);
  const chunk = network.batchNorm ? tiles(examples) : STRIP;
  return (network.batchNorm ? 3 : 2) * units * chunk * TILE + 11 * units + 1;
}
