/** The problems in the plane, with the numbers that Python draws. */

import { toEven } from "../causes/sentences";
import { Mersenne } from "../random/mersenne";
import { shuffle, type Source } from "../random/source";
import { stream } from "../random/stream";
import type { Study } from "./study";

/** Rows of two features each, behind one another, and their classes. */
export interface Examples {
  readonly x: Float64Array;
  readonly classes: Int32Array;
}

export interface Data {
  readonly train: Examples;
  readonly test: Examples;
  readonly classNames: readonly string[];
}

type Draw = (count: number, noise: number, seed: number) => Examples;

interface Problem {
  readonly draw: Draw;
  readonly noise: number;
  readonly classNames: readonly string[];
}

// The problem's own seed; the test examples have the next one.
const SEED = 1;
const TEST_SHARE = 1 / 3;
const BLOB_CENTERS = [[0, 3], [-3, -2], [3, -2]] as const;

/** Return so many angles from 0 up to `end`. */
function angles(count: number, end: number, isEndIncluded: boolean): number[] {
  const parts = isEndIncluded ? count - 1 : count;
  return Array.from({ length: count }, (_, i) =>
    isEndIncluded && i === count - 1 && count > 1 ? end : i * (end / Math.max(parts, 1)),
  );
}

function shuffled(points: [number, number, number][], source: Source): Examples {
  const order = Int32Array.from(points, (_, i) => i);
  shuffle(order, source);
  const x = new Float64Array(2 * points.length);
  const classes = new Int32Array(points.length);
  order.forEach((from, to) => {
    [x[2 * to], x[2 * to + 1], classes[to]] = points[from];
  });
  return { x, classes };
}

function noisy(examples: Examples, noise: number, source: Source): Examples {
  for (let i = 0; i < examples.x.length; i++) examples.x[i] += noise * source.normal();
  return examples;
}

/** scikit-learn's make_circles. */
const circles: Draw = (count, noise, seed) => {
  const source = new Mersenne(seed);
  const outer = Math.floor(count / 2);
  const points = [
    ...angles(outer, 2 * Math.PI, false).map(
      (a): [number, number, number] => [Math.cos(a), Math.sin(a), 0],
    ),
    ...angles(count - outer, 2 * Math.PI, false).map(
      (a): [number, number, number] => [Math.cos(a) * 0.8, Math.sin(a) * 0.8, 1],
    ),
  ];
  return noisy(shuffled(points, source), noise, source);
};

/** scikit-learn's make_moons. */
const moons: Draw = (count, noise, seed) => {
  const source = new Mersenne(seed);
  const outer = Math.floor(count / 2);
  const points = [
    ...angles(outer, Math.PI, true).map(
      (a): [number, number, number] => [Math.cos(a), Math.sin(a), 0],
    ),
    ...angles(count - outer, Math.PI, true).map(
      (a): [number, number, number] => [1 - Math.cos(a), 1 - Math.sin(a) - 0.5, 1],
    ),
  ];
  return noisy(shuffled(points, source), noise, source);
};

function alternating(count: number, source: Source): Int32Array {
  const classes = Int32Array.from({ length: count }, (_, i) => i % 2);
  shuffle(classes, source);
  return classes;
}

const spirals: Draw = (count, noise, seed) => {
  const source = stream(seed, "problem", "spirals");
  const classes = alternating(count, source);
  const radii = Float64Array.from(classes, () => 0.1 + 0.9 * source.uniform());
  const x = new Float64Array(2 * count);
  classes.forEach((side, i) => {
    const angle = 3 * Math.PI * radii[i] + Math.PI * side;
    x[2 * i] = radii[i] * Math.cos(angle);
    x[2 * i + 1] = radii[i] * Math.sin(angle);
  });
  return noisy({ x, classes }, noise, source);
};

const xor: Draw = (count, noise, seed) => {
  const source = stream(seed, "problem", "xor");
  const classes = alternating(count, source);
  const x = Float64Array.from({ length: 2 * count }, () => 0.1 + 0.9 * source.uniform());
  classes.forEach((isOther, i) => {
    const sign = source.half() >>> 31 ? 1 : -1;
    x[2 * i] *= sign;
    x[2 * i + 1] *= sign * (1 - 2 * isOther);
  });
  return noisy({ x, classes }, noise, source);
};

/** scikit-learn's make_blobs. */
const blobs: Draw = (count, noise, seed) => {
  const source = new Mersenne(seed);
  const points: [number, number, number][] = [];
  BLOB_CENTERS.forEach(([a, b], center) => {
    const own = Math.floor(count / 3) + (center < count % 3 ? 1 : 0);
    for (let i = 0; i < own; i++) {
      const x = a + noise * source.normal();
      points.push([x, b + noise * source.normal(), center]);
    }
  });
  return shuffled(points, source);
};

export const GENERATED: Readonly<Record<string, Problem>> = {
  circles: { draw: circles, noise: 0.05, classNames: ["outer", "inner"] },
  moons: { draw: moons, noise: 0.05, classNames: ["upper", "lower"] },
  spirals: { draw: spirals, noise: 0.05, classNames: ["arm 1", "arm 2"] },
  xor: { draw: xor, noise: 0.05, classNames: ["same sign", "other sign"] },
  blobs: { draw: blobs, noise: 1, classNames: ["top", "left", "right"] },
};

/** Return a study's examples; own points all train. */
export function load(study: Study): Data {
  if (study.problem === "points") return own(study);
  const problem = GENERATED[study.problem];
  const tested = toEven(study.examples * TEST_SHARE);
  return {
    train: problem.draw(study.examples, study.noise, SEED),
    test: problem.draw(tested, study.noise, SEED + 1),
    classNames: problem.classNames,
  };
}

function own(study: Study): Data {
  const classes = Int32Array.from(study.points, (point) => point[2]);
  const most = classes.reduce((a, b) => Math.max(a, b), 1);
  return {
    train: { x: Float64Array.from(study.points.flatMap(([a, b]) => [a, b])), classes },
    test: { x: new Float64Array(0), classes: new Int32Array(0) },
    classNames: Array.from({ length: most + 1 }, (_, i) => `class ${i}`),
  };
}
