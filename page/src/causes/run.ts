/** One network's history as the rules for causes read it: `analysis/_run.py`. */

import shared from "../shared.json";
import type { Network } from "../lab/layout";
import type { Measured } from "../lab/names";
import type { Data } from "../lab/problems";
import { recordedSteps, type Study } from "../lab/study";
import type { History } from "../lab/train";

export interface Run {
  readonly steps: readonly number[];
  readonly loss: Float64Array;
  readonly baseline: number;
  readonly divergedStep: number;
  readonly learningRate: number;
  readonly plainFirstStep: boolean;
  readonly inputRms: number;
  readonly saturating: boolean;
  readonly units: readonly number[];
  /** The last record that was reached; -1 if the start was not finite. */
  readonly last: number;
  /** One summary of every layer at a record. */
  at(name: Measured, record: number): number[];
}

/** Return the loss of the best constant output: the entropy of the classes. */
export function baselineOf(data: Data): number {
  const { classes } = data.train;
  const counts = new Map<number, number>();
  classes.forEach((each) => counts.set(each, (counts.get(each) ?? 0) + 1));
  return [...counts.values()]
    .map((count) => count / classes.length)
    .reduce((sum, share) => sum - share * Math.log(share), 0);
}

export function inputRms({ train }: Data): number {
  return Math.sqrt(train.x.reduce((sum, each) => sum + each * each, 0) / train.x.length);
}

export function runOf(study: Study, network: Network, data: Data, history: History): Run {
  const { loss, layers } = history;
  const diverged = loss.findIndex((each) => !Number.isFinite(each));
  return {
    steps: recordedSteps(study.steps),
    loss,
    baseline: baselineOf(data),
    divergedStep: history.divergedStep,
    learningRate: study.learningRate,
    plainFirstStep: study.optimizer !== "adam",
    inputRms: inputRms(data),
    saturating: shared.saturates[study.activation],
    units: network.widths.slice(1),
    last: (diverged < 0 ? loss.length : diverged) - 1,
    at(name, record) {
      // A record before the first is the last one, as Python counts.
      const row = record < 0 ? loss.length + record : record;
      const from = row * network.layers;
      return Array.from(layers[name].subarray(from, from + network.layers));
    },
  };
}
