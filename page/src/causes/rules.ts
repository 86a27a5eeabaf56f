/**
 * Why a network trained or did not: the rules of `analysis`, one function each.
 *
 * Thresholds and sentences come from Python; `test/causes.test.mjs` holds the rules to
 * Python's on random studies.
 */

import shared from "../shared.json";
import type { Run } from "./run";

export interface Cause {
  readonly id: string;
  readonly evidence: Readonly<Record<string, number>>;
}

type Rule = (run: Run) => Cause | null;

const limit = shared.thresholds;
const norm = (values: readonly number[]): number => Math.hypot(...values);
const largest = (values: readonly number[]): number =>
  values.reduce((a, b) => (b > a ? b : a), -Infinity);

function largeInputs(run: Run): Record<string, number> {
  return run.inputRms > limit.USUAL_INPUTS[1] ? { input_rms: run.inputRms } : {};
}

const hidden = (run: Run): number[] => run.units.slice(0, -1).map((_, layer) => layer);

/** Return the first of the layers with the largest value. */
function top(layers: readonly number[], value: (layer: number) => number): number {
  return layers.reduce((best, layer) => (value(layer) > value(best) ? layer : best));
}

function copiedLayer(run: Run): number | null {
  const first = run.at("distinct_units", 0);
  const final = run.at("distinct_units", run.last);
  const found = hidden(run).find(
    (layer) => run.units[layer] > 1 && first[layer] === 1 && final[layer] === 1,
  );
  return found ?? null;
}

function inactiveLayer(run: Run, record: number, share: number): number | null {
  const inactive = run.at("inactive_units", record).map((n, l) => n / run.units[l]);
  const flat = hidden(run).filter((layer) => inactive[layer] >= share);
  return flat.length ? top(flat, (layer) => inactive[layer]) : null;
}

function inactiveEvidence(run: Run, layer: number, record: number): Record<string, number> {
  return {
    layer: layer + 1,
    units: run.units[layer],
    inactive_units: run.at("inactive_units", record)[layer],
    inactive_at_start: run.at("inactive_units", 0)[layer],
    step: run.steps[record],
  };
}

function isOversized(run: Run): boolean {
  const certain = run.at("saturated_share", 0).at(-1) as number;
  return (
    certain >= limit.SATURATED_OUTPUTS && run.loss[0] - run.baseline >= limit.SATURATED_EXCESS
  );
}

const finalLoss = (run: Run): number => run.loss[run.loss.length - 1];
const remaining = (run: Run): number =>
  run.baseline ? finalLoss(run) / run.baseline : NaN;

function largeFirstUpdate(run: Run): Record<string, number> {
  const weight = run.at("weight_norm", 0);
  const gradient = run.at("gradient_norm", 0);
  if (!run.plainFirstStep || !weight.every((each) => each > 0)) return {};
  const change = gradient.map((each, l) => (run.learningRate * each) / weight[l]);
  const layer = top([...change.keys()], (l) => change[l]);
  if (change[layer] < limit.LARGE_UPDATE) return {};
  return { update_layer: layer + 1, first_update: change[layer] };
}

const diverged: Rule = (run) => {
  if (run.divergedStep < 0) return null;
  const step = { step: run.divergedStep };
  if (run.last < 0) return { id: "not_finite_at_start", evidence: step };
  const evidence = {
    ...step, first_loss: run.loss[0], baseline_loss: run.baseline, ...largeInputs(run),
  };
  return isOversized(run)
    ? { id: "diverged_from_oversized_outputs", evidence }
    : { id: "diverged", evidence: { ...evidence, ...largeFirstUpdate(run) } };
};

function training(run: Run): Cause {
  const evidence = { final_loss: finalLoss(run), baseline_loss: run.baseline };
  const copies = copiedLayer(run);
  if (copies === null) return { id: "trained", evidence };
  const layer = { layer: copies + 1, units: run.units[copies] };
  return { id: "trained_with_copies", evidence: { ...evidence, ...layer } };
}

const trained: Rule = (run) => (remaining(run) <= limit.TRAINED ? training(run) : null);
const trainedWithoutFault: Rule = (run) =>
  remaining(run) <= limit.TRAINED_WITHOUT_FAULT ? training(run) : null;

const rising: Rule = (run) => {
  if (!(finalLoss(run) > limit.RISEN * Math.max(run.loss[0], run.baseline))) return null;
  if (lastTenth(run) >= 0) return null;
  return {
    id: "rising_loss",
    evidence: {
      learning_rate: run.learningRate, steps: run.steps.at(-1) as number,
      first_loss: run.loss[0], final_loss: finalLoss(run),
      ...largeInputs(run), ...largeFirstUpdate(run),
    },
  };
};

const allCopies: Rule = (run) => {
  const layer = copiedLayer(run);
  if (layer === null) return null;
  return {
    id: "symmetric_units",
    evidence: {
      layer: layer + 1, units: run.units[layer], distinct_units: 1,
      final_loss: finalLoss(run), baseline_loss: run.baseline,
    },
  };
};

const inactiveFromTheStart: Rule = (run) => {
  const layer = inactiveLayer(run, 0, 1);
  if (layer === null) return null;
  if (run.at("inactive_units", run.last)[layer] < run.units[layer]) return null;
  return { id: "inactive_units", evidence: inactiveEvidence(run, layer, 0) };
};

const saturatedOutputs: Rule = (run) => {
  if (!isOversized(run)) return null;
  return {
    id: "saturated_outputs",
    evidence: {
      first_loss: run.loss[0], baseline_loss: run.baseline, final_loss: finalLoss(run),
      ...largeInputs(run), saturated_share: run.at("saturated_share", 0).at(-1) as number,
    },
  };
};

const diedInTraining: Rule = (run) => {
  const layer = inactiveLayer(run, run.last, 1);
  if (layer === null) return null;
  let record = run.steps.length;
  while (record > 0 && run.at("inactive_units", record - 1)[layer] === run.units[layer]) {
    record--;
  }
  // Dead all through: as NumPy's argmin, which then finds the first.
  record = Math.min(record || run.steps.length, run.last);
  const evidence = { ...inactiveEvidence(run, layer, record), ...largeInputs(run) };
  const peak = largest(Array.from(run.loss).filter((each) => !Number.isNaN(each)));
  const rose = peak > Math.max(run.loss[0], run.baseline) * limit.UNSTABLE_RISE;
  return {
    id: "died_in_training",
    evidence: { ...evidence, ...(rose ? { peak_loss: peak } : {}), ...largeFirstUpdate(run) },
  };
};

const saturatedUnits: Rule = (run) => {
  const share = run.at("saturated_share", 0);
  const saturated = hidden(run).filter((layer) => share[layer] >= limit.SATURATED_UNITS);
  if (!run.saturating || !saturated.length) return null;
  const layer = top(saturated, (l) => share[l]);
  return {
    id: "saturated_units",
    evidence: { layer: layer + 1, saturated_share: share[layer], ...largeInputs(run) },
  };
};

function scaledGradient(run: Run, record: number): number[] {
  const gradient = run.at("gradient_norm", record);
  return gradient.map((each, l) => (each * Math.sqrt(run.units[l])) / run.baseline);
}

/** The gradient is at least proportional to the inputs: it is faint because of them. */
function smallInputs(run: Run): Record<string, number> {
  if (run.inputRms >= limit.USUAL_INPUTS[0]) return {};
  const gradient = largest(scaledGradient(run, 0));
  return gradient > limit.FAINT_GRADIENT * run.inputRms ? { input_rms: run.inputRms } : {};
}

const faintGradient: Rule = (run) => {
  if (!hidden(run).length || largest(scaledGradient(run, 0)) > limit.FAINT_GRADIENT) return null;
  const spread = run.at("activation_spread", 0);
  return {
    id: "vanishing_signal",
    evidence: {
      gradient_norm: largest(run.at("gradient_norm", 0)), first_spread: spread[0],
      output_spread: spread.at(-1) as number, layers: run.units.length, ...smallInputs(run),
    },
  };
};

const unevenGradient: Rule = (run) => {
  const gradient = run.at("gradient_norm", 0);
  const last = gradient.at(-2);
  if (hidden(run).length < 2 || !last) return null;
  const ratio = gradient[0] / last;
  if (ratio > limit.GRADIENT_RATIO && ratio < 1 / limit.GRADIENT_RATIO) return null;
  return {
    id: ratio < 1 ? "vanishing_gradient" : "exploding_gradient",
    evidence: { first_layer: gradient[0], last_layer: last, layers: hidden(run).length },
  };
};

const unstable: Rule = (run) => {
  const later = Array.from(run.loss.subarray(1));
  const rises = later.filter((each, i) => each > limit.UNSTABLE_RISE * run.loss[i]).length;
  if (rises < limit.UNSTABLE_RECORDS || rises / later.length < limit.UNSTABLE_SHARE) return null;
  return {
    id: "unstable",
    evidence: {
      rises, records: later.length, learning_rate: run.learningRate, ...largeFirstUpdate(run),
    },
  };
};

function lastTenth(run: Run): number {
  const end = run.steps.at(-1) as number;
  const earlier = run.steps.findIndex((step) => step >= 0.9 * end);
  return run.loss[Math.min(earlier, run.loss.length - 2)] - finalLoss(run);
}

function movement(run: Run): number {
  const start = norm(run.at("weight_norm", 0));
  const ofRows = Math.sqrt(run.units.reduce((sum, each) => sum + each, 0));
  return norm(run.at("weight_distance", run.last)) / Math.max(start, ofRows);
}

const fewDistinct: Rule = (run) => {
  const final = run.at("distinct_units", run.last);
  const distinct = run.at("distinct_units", 0).map((each, l) => Math.max(each, final[l]));
  const copied = hidden(run).filter((layer) => distinct[layer] < run.units[layer] / 2);
  if (!copied.length) return null;
  const layer = top(copied, (l) => -distinct[l] / run.units[l]);
  return {
    id: "copied_units",
    evidence: { layer: layer + 1, units: run.units[layer], distinct_units: distinct[layer] },
  };
};

const mostlyInactive: Rule = (run) => {
  const layer = inactiveLayer(run, 0, limit.MOSTLY_INACTIVE);
  if (layer === null) return null;
  return { id: "mostly_inactive_units", evidence: inactiveEvidence(run, layer, 0) };
};

const tooLittleTraining: Rule = (run) => {
  const gradient = largest(run.at("gradient_norm", run.last));
  const moved = movement(run);
  const healthy = largest(scaledGradient(run, run.last)) >= limit.HEALTHY_GRADIENT;
  if (moved > limit.HARDLY_MOVED || !healthy || lastTenth(run) <= 0) return null;
  const evidence = {
    learning_rate: run.learningRate, steps: run.steps.at(-1) as number, weight_change: moved,
    first_loss: run.loss[0], final_loss: finalLoss(run), gradient_norm: gradient,
  };
  const kept = gradient >= limit.ONE_SLOPE * largest(run.at("gradient_norm", 0));
  const isRate = kept && fewDistinct(run) === null && mostlyInactive(run) === null;
  return { id: isRate ? "learning_rate_too_small" : "too_little_training", evidence };
};

const unfinished: Rule = (run) => {
  const fell = lastTenth(run);
  if (fell < limit.STILL_FALLING * run.baseline) return null;
  return {
    id: "unfinished",
    evidence: {
      final_loss: finalLoss(run), fall_in_last_tenth: fell, steps: run.steps.at(-1) as number,
    },
  };
};

const learnedInPart: Rule = (run) =>
  remaining(run) <= limit.LEARNED_IN_PART
    ? {
        id: "learned_in_part",
        evidence: { final_loss: finalLoss(run), baseline_loss: run.baseline },
      }
    : null;

/** In the order in which they are asked. */
const RULES: readonly Rule[] = [
  diverged, trained, rising, allCopies, inactiveFromTheStart, saturatedOutputs,
  diedInTraining, saturatedUnits, faintGradient, unevenGradient, trainedWithoutFault,
  unstable, tooLittleTraining, fewDistinct, mostlyInactive, unfinished, learnedInPart,
];

/** Return the first cause whose rule applies, or the cause `unknown`. */
export function causeOf(run: Run): Cause {
  for (const rule of RULES) {
    const cause = rule(run);
    if (cause) return cause;
  }
  return {
    id: "unknown",
    evidence: {
      final_loss: finalLoss(run), baseline_loss: run.baseline,
      first_gradient_norm: norm(run.at("gradient_norm", 0)),
      final_gradient_norm: norm(run.at("gradient_norm", run.steps.length - 1)),
    },
  };
}
