/** A study as a value: everything that decides the numbers on the page. */

import shared from "../shared.json";
import type { Activation, Optimizer, ProblemName, Seeding } from "./names";

export interface Init {
  readonly name: string;
  /** Parameters that are not their defaults, such as `std`. */
  readonly parameters: Readonly<Record<string, number>>;
  readonly scale: number;
  readonly bias: number;
}

/** Own points: features and class of each. */
export type Points = readonly (readonly [number, number, number])[];

export interface Study {
  readonly problem: ProblemName;
  readonly noise: number;
  readonly examples: number;
  readonly points: Points;
  readonly hidden: readonly number[];
  readonly activation: Activation;
  readonly batchNorm: boolean;
  readonly inits: readonly Init[];
  readonly members: number;
  readonly optimizer: Optimizer;
  readonly learningRate: number;
  readonly steps: number;
  readonly seed: number;
  readonly seeding: Seeding;
}

export const MOST_INITS = shared.limits.inits[1];

export const LESSON: Study = {
  problem: "circles",
  noise: 0.05,
  examples: 300,
  points: [],
  hidden: [10, 5],
  activation: "relu",
  batchNorm: false,
  inits: [init("zeros"), init("normal", { std: 10 }), init("he_normal")],
  members: 1,
  optimizer: "gradient_descent",
  learningRate: 0.01,
  steps: 15000,
  seed: 3,
  seeding: "legacy",
};

export function init(name: string, parameters: Record<string, number> = {}): Init {
  return { name, parameters, scale: 1, bias: 0 };
}

/** Return the init as Python writes it: `normal(std=10)`. */
export function label(init: Init): string {
  const given = Object.entries(init.parameters).map(([name, value]) => `${name}=${value}`);
  if (init.scale !== 1) given.push(`scale=${init.scale}`);
  if (init.bias !== 0) given.push(`bias=${init.bias}`);
  return given.length ? `${init.name}(${given.join(", ")})` : init.name;
}

const RECORD_EVERY = 100;

/** Return the steps at which losses are recorded: as Python's, or 150 of a short run. */
export function recordedSteps(steps: number): number[] {
  const every = recordEvery(steps);
  const found: number[] = [];
  for (let step = 0; step < steps; step += every) found.push(step);
  return [...found, steps];
}

export function recordEvery(steps: number): number {
  return steps >= 150 * RECORD_EVERY
    ? RECORD_EVERY * Math.ceil(steps / (150 * RECORD_EVERY))
    : Math.max(1, Math.round(steps / 150));
}
