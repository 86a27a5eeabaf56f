/** Training: four networks at a time, one per lane, as `engine/_lanes.py` does it. */

import shared from "../shared.json";
import type { Layer } from "./inits";
import type { Kernels, Room } from "./kernels";
import * as layout from "./layout";
import { LANES, TILE, type Network } from "./layout";
import { MEASURED } from "./names";
import type { Data, Examples } from "./problems";
import { recordedSteps, type Study } from "./study";
import { corrections as correctionsAfter, updateNorms } from "./update";

/** One network's training so far; arrays over records, then layers. */
export interface History {
  /** Number of the network: init by init, member by member. */
  readonly number: number;
  readonly loss: Float64Array;
  readonly trainAccuracy: Float64Array;
  readonly testAccuracy: Float64Array;
  /** Per name of MEASURED, `(record, layer)`. */
  readonly layers: Readonly<Record<string, Float64Array>>;
  divergedStep: number;
  /** Records that are there. */
  reached: number;
  /** Weights and biases at every record, `(record, parameter)`; member 0 only. */
  readonly snapshots: Float32Array | null;
  /** The loss's gradient by them over all examples, likewise. */
  readonly gradients: Float32Array | null;
  /** Frobenius norm of each weight's next update, `(record, layer)`; likewise. */
  readonly updates: Float64Array | null;
  /** Batch norm's running mean and variance at every record, likewise. */
  readonly running: Float32Array | null;
}

/** A network that waits for its training. */
export interface Start {
  readonly number: number;
  readonly layers: readonly Layer[];
  readonly isPictured: boolean;
}

const TOLERANCE = 1e-5;
// Multiply-adds of one call: some 10 ms, so that a change of mind is heard at once.
const CALL = 3e7;

interface Place {
  readonly plan: Room;
  readonly x: Room;
  readonly y: Room;
  readonly testX: Room;
  readonly testY: Room;
  readonly order: Room;
  readonly begins: Room;
  readonly ends: Room;
  readonly corrections: Room;
  readonly rates: Room;
  readonly live: Room;
  readonly diverged: Room;
  readonly parameters: Room;
  readonly start: Room;
  readonly gradient: Room;
  readonly state: Room;
  readonly running: Room;
  readonly scratch: Room;
  readonly rows: Room;
  readonly results: Room;
  readonly score: Room;
}

/** Trains groups of up to four networks of one study. */
export class Trainer {
  readonly network: Network;
  readonly #recorded: number[];
  readonly #most: number;

  constructor(
    private readonly kernels: Kernels,
    private readonly study: Study,
    private readonly data: Data,
  ) {
    this.network = layout.networkOf(study, data);
    this.#recorded = recordedSteps(study.steps);
    const { widths } = this.network;
    const products = widths.slice(1).reduce((sum, out, l) => sum + widths[l] * out, 0);
    const perStep = 3 * products * data.train.classes.length;
    this.#most = Math.max(1, Math.floor(CALL / perStep));
  }

  /** Train a group, pausing after every call of a kernel; histories fill on the way. */
  *train(starts: readonly Start[]): Generator<History[], History[]> {
    const place = this.#laidOut(starts);
    const histories = starts.map((start) => this.#empty(start));
    const last = this.#recorded.length - 1;
    for (const [number, step] of this.#recorded.entries()) {
      this.#record(place, histories, number, step);
      if (number === last || !this.kernels.floats(place.live).some((each) => each > 0)) break;
      for (let at = step; at < this.#recorded[number + 1]; ) {
        const steps = Math.min(this.#most, this.#recorded[number + 1] - at);
        this.#advance(place, at, steps);
        at += steps;
        yield histories;
      }
    }
    // Whoever was lost has nothing more to come.
    for (const history of histories) history.reached = last + 1;
    return histories;
  }

  #laidOut(starts: readonly Start[]): Place {
    const { kernels, network, data } = this;
    kernels.clear();
    const examples = data.train.classes.length;
    const longest = Math.max(examples, data.test.classes.length);
    const vectors = (count: number): Room => kernels.room(LANES * count);
    const place: Place = {
      plan: kernels.room(network.plan.length),
      x: this.#features(data.train),
      y: this.#targets(data.train),
      testX: this.#features(data.test),
      testY: this.#targets(data.test),
      order: kernels.room(longest),
      begins: kernels.room(this.#most),
      ends: kernels.room(this.#most),
      corrections: kernels.room(2 * this.#most),
      rates: vectors(1),
      live: vectors(1),
      diverged: vectors(1),
      parameters: vectors(layout.parameterCount(network)),
      start: vectors(layout.parameterCount(network)),
      gradient: vectors(layout.parameterCount(network)),
      state: vectors(layout.stateCount(network)),
      running: vectors(layout.runningCount(network)),
      scratch: vectors(layout.scratchCount(network, examples)),
      rows: kernels.room(TILE * layout.tiles(longest)),
      results: vectors(2 + MEASURED.length * network.layers),
      score: vectors(1),
    };
    kernels.integers(place.plan).set(network.plan);
    kernels.integers(place.order).forEach((_, i, all) => (all[i] = i));
    kernels.integers(place.ends).fill(examples);
    kernels.floats(place.rates).fill(this.study.learningRate);
    kernels.floats(place.live).fill(1);
    kernels.integers(place.diverged).fill(-1);
    kernels.floats(place.running).forEach((_, i, all) => {
      if (Math.floor(i / LANES) % 2) all[i] = 1; // variances
    });
    const parameters = kernels.floats(place.parameters);
    for (let lane = 0; lane < LANES; lane++) {
      const { layers } = starts[Math.min(lane, starts.length - 1)];
      let at = lane;
      const put = (value: number): void => {
        parameters[at] = value;
        at += LANES;
      };
      for (const { weight, bias } of layers) {
        weight.forEach(put);
        bias.forEach(put);
      }
      while (at < parameters.length) put(1); // batch norm's scales
    }
    kernels.floats(place.start).set(parameters);
    return place;
  }

  #features({ x }: Examples): Room {
    const room = this.kernels.room(x.length);
    this.kernels.floats(room).set(x);
    return room;
  }

  #targets({ classes }: Examples): Room {
    const outputs = this.network.widths[this.network.layers];
    const room = this.kernels.room(classes.length * outputs);
    const y = this.kernels.floats(room);
    classes.forEach((each, i) => {
      if (outputs === 1) y[i] = each;
      else y[outputs * i + each] = 1;
    });
    return room;
  }

  #advance(place: Place, first: number, steps: number): void {
    const corrections = this.kernels.floats(place.corrections);
    for (let s = 0; s < steps; s++) {
      corrections.set(correctionsAfter(first + s + 1), 2 * s);
    }
    this.kernels.train(
      place.plan, place.x, place.y, place.order, place.begins, place.ends, first, steps,
      place.corrections, place.rates, place.live, place.diverged, place.parameters,
      place.gradient, place.state, place.running, place.scratch, place.rows,
    );
  }

  #record(place: Place, histories: History[], number: number, step: number): void {
    const { kernels, network } = this;
    const examples = this.data.train.classes.length;
    kernels.measure(
      place.plan, place.x, place.y, place.order, examples, place.parameters,
      place.gradient, place.running, place.start,
      shared.steepest[this.study.activation], TOLERANCE, place.scratch, place.rows,
      place.results,
    );
    const results = kernels.floats(place.results).slice();
    const trainRight = network.batchNorm
      ? this.#score(place, place.x, place.y, examples)
      : results.slice(LANES, 2 * LANES);
    const tested = this.data.test.classes.length;
    const testRight = tested ? this.#score(place, place.testX, place.testY, tested) : null;
    const live = kernels.floats(place.live);
    const diverged = kernels.integers(place.diverged);
    for (let lane = 0; lane < LANES; lane++) {
      if (live[lane] > 0 && !Number.isFinite(results[lane])) {
        diverged[lane] = step;
        live[lane] = 0;
      }
    }
    histories.forEach((history, lane) => {
      history.divergedStep = diverged[lane];
      history.reached = number + 1;
      if (live[lane] === 0) return;
      history.loss[number] = results[lane];
      history.trainAccuracy[number] = trainRight[lane] / examples;
      if (testRight) history.testAccuracy[number] = testRight[lane] / tested;
      MEASURED.forEach((name, m) => {
        for (let layer = 0; layer < network.layers; layer++) {
          const field = 2 + m * network.layers + layer;
          history.layers[name][number * network.layers + layer] =
            results[field * LANES + lane];
        }
      });
      if (history.snapshots) this.#picture(place, history, number, step, lane);
    });
  }

  /** Keep what is shown of a network beside its summaries. */
  #picture(place: Place, history: History, number: number, step: number, lane: number): void {
    const { learningRate } = this.study;
    const gradient = this.#ofLane(place.gradient, lane);
    const state = this.#ofLane(place.state, lane);
    const put = (into: Float32Array | Float64Array | null, values: ArrayLike<number>): void =>
      into?.set(values, number * values.length);
    put(history.snapshots, this.#ofLane(place.parameters, lane));
    put(history.running, this.#ofLane(place.running, lane));
    put(history.gradients, gradient);
    put(history.updates, updateNorms(this.network, learningRate, step, gradient, state));
  }

  #ofLane(room: Room, lane: number): Float32Array {
    const values = this.kernels.floats(room);
    return Float32Array.from({ length: values.length / LANES }, (_, i) => values[i * LANES + lane]);
  }

  #score(place: Place, x: Room, y: Room, examples: number): Float32Array {
    this.kernels.score(
      place.plan, x, y, place.order, examples, place.parameters, place.running,
      place.scratch, place.rows, place.score,
    );
    return this.kernels.floats(place.score).slice();
  }

  #empty({ number, isPictured }: Start): History {
    const { network } = this;
    const records = this.#recorded.length;
    const nothing = (count: number): Float64Array => new Float64Array(count).fill(NaN);
    const pictured = (count: number): Float32Array | null =>
      isPictured ? new Float32Array(records * count).fill(NaN) : null;
    return {
      number,
      loss: nothing(records),
      trainAccuracy: nothing(records),
      testAccuracy: nothing(records),
      layers: Object.fromEntries(
        MEASURED.map((name) => [name, nothing(records * network.layers)]),
      ),
      divergedStep: -1,
      reached: 0,
      snapshots: pictured(layout.parameterCount(network)),
      gradients: pictured(layout.parameterCount(network)),
      updates: isPictured ? nothing(records * network.layers) : null,
      running: pictured(layout.runningCount(network)),
    };
  }
}
