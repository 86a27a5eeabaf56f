/** What the optimizer would do next: `engine/_lane_training.py`, for one network. */

import { parameterCount, places, type Network } from "./layout";

const [MOMENTUM, ADAM] = [1, 2];
const MOMENTUM_DECAY = 0.9;
const EPSILON = 1e-8;
export const [MEAN_DECAY, SQUARE_DECAY] = [0.9, 0.999];

/** Adam's corrections of the first and the second moment after so many steps. */
export const corrections = (steps: number): readonly [number, number] => [
  1 - MEAN_DECAY ** steps, 1 - SQUARE_DECAY ** steps,
];

/**
 * Return the Frobenius norm of every weight matrix's next change.
 *
 * @param step Steps that were taken before.
 * @param state What the optimizer holds, in the parameters' places, moment after moment.
 */
export function updateNorms(
  network: Network, learningRate: number, step: number,
  gradient: ArrayLike<number>, state: ArrayLike<number>,
): number[] {
  const count = parameterCount(network);
  const [first, second] = corrections(step + 1);
  const change = (k: number): number => {
    const g = gradient[k];
    if (network.optimizer === MOMENTUM) return MOMENTUM_DECAY * state[k] + g;
    if (network.optimizer !== ADAM) return g;
    const mean = MEAN_DECAY * state[k] + (1 - MEAN_DECAY) * g;
    const square = SQUARE_DECAY * state[count + k] + (1 - SQUARE_DECAY) * g * g;
    return mean / first / (Math.sqrt(square / second) + EPSILON);
  };
  return places(network).map(({ weight, bias }) => {
    let squares = 0;
    for (let k = weight; k < bias; k++) squares += change(k) ** 2;
    return learningRate * Math.sqrt(squares);
  });
}
