/** The study in the address: a link reproduces the view and its numbers. */

import shared from "../shared.json";
import { CATALOG } from "../lab/inits";
import { ACTIVATIONS, OPTIMIZERS, PROBLEMS, SEEDINGS } from "../lab/names";
import { GENERATED } from "../lab/problems";
import {
  LESSON, MOST_INITS, label, type Init, type Points, type Study,
} from "../lab/study";

type Limits = readonly [number, number];
const given = shared.limits as unknown as Readonly<Record<string, Limits>>;

/** Least and most of every number: Python's table. */
export const LIMITS = {
  noise: given.noise, examples: given.examples, members: given.members,
  learningRate: given.learning_rate, steps: given.steps, seed: given.seed,
  layers: given.layers, units: given.units, points: given.points,
} as const;

/** Return the study as the part of an address after #. */
export function linkOf(study: Study): string {
  const fields = new URLSearchParams();
  for (const init of study.inits) fields.append("init", label(init));
  const add = (name: string, value: unknown, usual: unknown): void => {
    if (String(value) !== String(usual)) fields.set(name, String(value));
  };
  add("problem", study.problem, LESSON.problem);
  add("noise", study.noise, GENERATED[study.problem]?.noise ?? 0);
  add("examples", study.examples, LESSON.examples);
  if (study.problem === "points") fields.set("points", study.points.map((p) => p.join(",")).join(";"));
  add("hidden", study.hidden.join(","), LESSON.hidden.join(","));
  add("activation", study.activation, LESSON.activation);
  add("batch_norm", study.batchNorm, LESSON.batchNorm);
  add("members", study.members, LESSON.members);
  add("optimizer", study.optimizer, LESSON.optimizer);
  add("learning_rate", study.learningRate, LESSON.learningRate);
  add("steps", study.steps, LESSON.steps);
  add("seed", study.seed, LESSON.seed);
  add("seeding", study.seeding, LESSON.seeding);
  return fields.toString();
}

/** Return the study of an address; what cannot be read there is the lesson's. */
export function studyOf(link: string): Study {
  const fields = new URLSearchParams(link.replace(/^#/, ""));
  const read = (name: string): string => fields.get(name) ?? "";
  const inits = fields.getAll("init").map(initOf).filter((each) => each !== null);
  const problem = oneOf([...PROBLEMS, "points" as const], read("problem"), LESSON.problem);
  const hidden = fields.has("hidden")
    ? read("hidden").split(",").filter(Boolean).map(Number)
    : LESSON.hidden;
  return {
    problem,
    noise: number(fields.get("noise"), LIMITS.noise, GENERATED[problem]?.noise ?? 0),
    examples: whole(fields.get("examples"), LIMITS.examples, LESSON.examples),
    points: pointsOf(read("points").replaceAll(";", "\n")).points,
    hidden: areUnits(hidden) ? hidden : LESSON.hidden,
    activation: oneOf(ACTIVATIONS, read("activation"), LESSON.activation),
    batchNorm: read("batch_norm") === "true",
    inits: inits.length ? inits.slice(0, MOST_INITS) : LESSON.inits,
    members: whole(fields.get("members"), LIMITS.members, LESSON.members),
    optimizer: oneOf(OPTIMIZERS, read("optimizer"), LESSON.optimizer),
    learningRate: number(fields.get("learning_rate"), LIMITS.learningRate, LESSON.learningRate),
    steps: whole(fields.get("steps"), LIMITS.steps, LESSON.steps),
    seed: whole(fields.get("seed"), LIMITS.seed, LESSON.seed),
    seeding: oneOf(SEEDINGS, read("seeding"), LESSON.seeding),
  };
}

export function areUnits(hidden: readonly number[]): boolean {
  const [fewest, most] = LIMITS.units;
  return (
    hidden.length <= LIMITS.layers[1] &&
    hidden.every((n) => Number.isInteger(n) && n >= fewest && n <= most)
  );
}

/** Return an init as it is written, or null: `normal(std=10)`. */
export function initOf(text: string): Init | null {
  const found = /^\s*(\w+)\s*(?:\(([^)]*)\))?\s*$/.exec(text);
  const entry = found && Object.hasOwn(CATALOG, found[1]) ? CATALOG[found[1]] : null;
  if (!found || !entry) return null;
  const parameters: Record<string, number> = {};
  let [scale, bias] = [1, 0];
  for (const part of (found[2] ?? "").split(",").filter((each) => each.trim())) {
    const [name, value] = part.split("=").map((each) => each.trim());
    const read = Number(value);
    if (!value || !Number.isFinite(read)) return null;
    if (name === "scale") scale = read;
    else if (name === "bias") bias = read;
    else if (Object.hasOwn(entry.parameters, name)) parameters[name] = read;
    else return null;
  }
  return { name: found[1], parameters, scale, bias };
}

const MOST_CLASSES = 6;
const LARGEST = 1e6;

/** What a text of points holds: a line each, `x,y,class`; and the lines that do not. */
export interface Read {
  readonly points: Points;
  readonly refused: readonly string[];
}

export function pointsOf(text: string): Read {
  const points: [number, number, number][] = [];
  const refused: string[] = [];
  const classes = new Map<string, number>();
  text.split(/\r?\n/).forEach((line, number) => {
    if (!line.trim()) return;
    const cells = line.split(/[,;\t]/).map((cell) => cell.trim());
    const [x, y] = [Number(cells[0]), Number(cells[1])];
    const name = cells[2] ?? "";
    const isRead =
      cells.length === 3 && cells.every((cell) => cell !== "") &&
      Math.abs(x) <= LARGEST && Math.abs(y) <= LARGEST;
    if (!isRead) {
      if (number > 0) refused.push(`line ${number + 1}: x,y,class expected`);
      return; // the first may be a header
    }
    if (!classes.has(name)) {
      if (classes.size === MOST_CLASSES) {
        refused.push(`line ${number + 1}: more than ${MOST_CLASSES} classes`);
        return;
      }
      classes.set(name, classes.size);
    }
    if (points.length < LIMITS.points[1]) points.push([x, y, classes.get(name) as number]);
  });
  // Whole numbers from 0 keep their values, whatever order they come in.
  const names = [...classes.keys()].map(Number);
  if (names.every((each) => Number.isInteger(each) && each >= 0 && each < MOST_CLASSES)) {
    for (const point of points) point[2] = names[point[2]];
  }
  return { points, refused };
}

function oneOf<T extends string>(names: readonly T[], given: string, usual: T): T {
  return names.includes(given as T) ? (given as T) : usual;
}

function number(given: string | null, [low, high]: Limits, usual: number): number {
  if (given === null || given.trim() === "" || !Number.isFinite(Number(given))) return usual;
  return Math.min(Math.max(Number(given), low), high);
}

const whole: typeof number = (given, limits, usual) => Math.round(number(given, limits, usual));
