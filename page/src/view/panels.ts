/** A panel per init: boundary, accuracy, cause, links, histograms, units by layer. */

import type { Progress } from "../app/laboratory";
import { causeOf, type Cause } from "../causes/rules";
import { runOf } from "../causes/run";
import { sentence, significant } from "../causes/sentences";
import { activationsOf, type Moment } from "../lab/forward";
import { parameterCount, places, runningCount } from "../lab/layout";
import { label } from "../lab/study";
import type { History } from "../lab/train";
import { drawBoundary } from "./boundary";
import { histogram } from "./chart";
import { colourOf } from "./colours";
import { diagram } from "./diagram";
import { h } from "./dom";

export interface Look {
  /** The record that is shown. */
  readonly record: number;
  readonly links: "weight" | "gradient";
}

/** Return a network at a record, if it was kept and had not diverged. */
export function momentOf(progress: Progress, history: History, record: number): Moment | null {
  const { network } = progress.setting;
  if (!history.snapshots) return null;
  const count = parameterCount(network);
  const parameters = history.snapshots.subarray(record * count, (record + 1) * count);
  if (!Number.isFinite(parameters[0])) return null;
  const kept = runningCount(network);
  const running = (history.running ?? new Float32Array(0)).subarray(record * kept, (record + 1) * kept);
  return { network, activation: progress.study.activation, parameters, running };
}

/** Return the loss's gradient by every parameter at a record. */
function gradientAt({ setting }: Progress, { gradients }: History, record: number): Float32Array | null {
  const count = parameterCount(setting.network);
  return gradients && gradients.subarray(record * count, (record + 1) * count);
}

/** One init's panel: made once, filled anew whenever something changed. */
export class Panel {
  readonly element: HTMLElement;
  readonly canvas = h("canvas", { width: 320, height: 320, role: "img" });
  readonly #accuracy = h("p", { class: "accuracy" });
  readonly #cause = h("p", { class: "cause", "aria-live": "polite" });
  readonly #inside = h("div", { class: "inside" });
  readonly #heading = h("span", {});
  readonly #details = h("details", {}, h("summary", {}, "Inside: links, layers, histograms"));

  constructor(readonly init: number) {
    this.#details.append(this.#inside);
    this.element = h(
      "article", { class: "panel" },
      h("h3", {}, h("span", { class: "swatch", style: `background:${colourOf(init)}` }), this.#heading),
      this.canvas, this.#accuracy, this.#cause, this.#details,
    );
  }

  name(heading: string): void {
    this.#heading.textContent = heading;
  }

  get isOpen(): boolean {
    return this.#details.open;
  }

  whenOpened(then: () => void): void {
    this.#details.addEventListener("toggle", then);
  }

  open(isOpen: boolean): void {
    this.#details.open = isOpen;
  }

  fill(progress: Progress, look: Look): void {
    const { study, setting, histories } = progress;
    const history = histories.get(this.init * study.members);
    const record = history ? Math.min(look.record, history.reached - 1) : 0;
    const moment = history ? momentOf(progress, history, record) : null;
    drawBoundary(this.canvas, moment, setting.data);
    this.canvas.setAttribute("aria-label", `decision boundary from ${label(study.inits[this.init])}`);
    if (!history) {
      this.#accuracy.textContent = "training…";
      this.#cause.textContent = "";
      return;
    }
    const which = study.members > 1 ? `first of ${study.members} members: ` : "";
    this.#accuracy.textContent = which + numbersAt(history, record);
    this.#cause.textContent = causesOf(progress, this.init);
    if (this.isOpen) this.#look(progress, history, moment, { ...look, record });
    else this.#inside.replaceChildren();
  }

  #look(progress: Progress, history: History, moment: Moment | null, look: Look): void {
    const { network, data } = progress.setting;
    const colour = colourOf(this.init);
    const gradient = gradientAt(progress, history, look.record);
    const values = look.links === "gradient" ? gradient : (moment?.parameters ?? null);
    const activations = moment && activationsOf(moment, data.train);
    const isLast = (layer: number): boolean => layer === network.layers - 1;
    const histograms = moment && gradient && activations
      ? places(network).map(({ weight, bias }, layer) =>
          h(
            "div", { class: "layer" },
            h("h4", {}, `Layer ${layer + 1}${isLast(layer) ? ", output" : ""}`),
            histogram(activations[layer], colour, isLast(layer) ? "logits" : "activations"),
            histogram(moment.parameters.subarray(weight, bias), colour, "weights"),
            histogram(gradient.subarray(weight, bias), colour, "gradients"),
          ),
        )
      : [];
    this.#inside.replaceChildren(
      diagram(network, values, `links coloured by ${look.links}; blue is negative`),
      layerRows(progress, history, look.record),
      h("div", { class: "layers" }, ...histograms),
    );
  }
}

/** Return whether a network was trained to its end. */
export function isComplete({ steps }: Progress, { reached }: History): boolean {
  return reached === steps.length;
}

function numbersAt(history: History, record: number): string {
  const parts = [`loss ${text(history.loss[record])}`, `train ${share(history.trainAccuracy[record])}`];
  if (Number.isFinite(history.testAccuracy[record])) {
    parts.push(`test ${share(history.testAccuracy[record])}`);
  }
  return parts.join(" · ");
}

const text = (value: number): string => (Number.isFinite(value) ? significant(value, 4) : "not finite");
const share = (value: number): string => (Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : "none");

/** What was found of histories that are complete: they change no more. */
const known = new WeakMap<History, Cause>();

function causeFor({ study, setting }: Progress, history: History): Cause {
  const found = known.get(history) ?? causeOf(runOf(study, setting.network, setting.data, history));
  known.set(history, found);
  return found;
}

/** Return what happened, most frequent first, with how many members it happened to. */
function causesOf(progress: Progress, init: number): string {
  const { study, histories } = progress;
  const counts = new Map<string, { count: number; says: string }>();
  let trained = 0;
  for (let member = 0; member < study.members; member++) {
    const history = histories.get(init * study.members + member);
    if (!history || !isComplete(progress, history)) continue;
    trained++;
    const cause = causeFor(progress, history);
    const counted = counts.get(cause.id);
    if (counted) counted.count++;
    else counts.set(cause.id, { count: 1, says: sentence(cause) });
  }
  const found = [...counts.values()].sort((a, b) => b.count - a.count);
  if (!found.length) return "training…";
  if (study.members === 1) return found[0].says;
  return found.map(({ count, says }) => `${count} of ${trained}: ${says}`).join("\n");
}

/** Return distinct, inactive and saturated units by layer, and the step's size. */
function layerRows(progress: Progress, history: History, record: number): HTMLElement {
  const { network } = progress.setting;
  const at = (name: string, layer: number): number => history.layers[name][record * network.layers + layer];
  const head = h(
    "tr", {},
    h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "layer")),
    ...["units", "distinct", "inactive", "saturated", "Δw/w"].map((each) => h("th", { scope: "col" }, each)),
  );
  const rows = network.widths.slice(1).map((units, layer) => {
    const update = history.updates?.[record * network.layers + layer] ?? NaN;
    const ratio = update / at("weight_norm", layer);
    const saturated = at("saturated_share", layer);
    return h(
      "tr", {},
      h("th", { scope: "row" }, String(layer + 1)),
      ...[
        String(units), count(at("distinct_units", layer)), count(at("inactive_units", layer)),
        Number.isFinite(saturated) ? `${(100 * saturated).toFixed(0)} %` : "–",
        Number.isFinite(ratio) ? significant(ratio, 2) : "–",
      ].map((each) => h("td", {}, each)),
    );
  });
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
}

const count = (value: number): string => (Number.isFinite(value) ? String(value) : "–");
