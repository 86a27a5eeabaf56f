/** What stands above the panels: curves of all inits, and sizes by layer. */

import type { Progress } from "../app/laboratory";
import { baselineOf } from "../causes/run";
import { FEWEST } from "../lab/statements";
import { quantiles } from "../lab/statistics";
import { label } from "../lab/study";
import { predictedRms } from "../lab/theory";
import type { History } from "../lab/train";
import { chart, lineSample, type Line } from "./chart";
import { colourOf, dashOf } from "./colours";
import { h } from "./dom";
import { isComplete } from "./panels";

/** Return the histories of one init that are there. */
function membersOf(progress: Progress, init: number): History[] {
  const { study, histories } = progress;
  const found: History[] = [];
  for (let member = 0; member < study.members; member++) {
    const history = histories.get(init * study.members + member);
    if (history && (study.members < FEWEST || isComplete(progress, history))) found.push(history);
  }
  return found;
}

/** Return the loss curves: medians, and between 5 % and 95 % of the members a band. */
export function lossCurves(progress: Progress, record: number): SVGSVGElement {
  const { study, setting, steps } = progress;
  const lines: Line[] = study.inits.map((init, i) => {
    const members = membersOf(progress, i);
    const name = label(init);
    const colour = colourOf(i);
    const dash = dashOf(i);
    if (study.members < FEWEST) {
      return { values: members[0] ? Array.from(members[0].loss) : [], colour, dash, name };
    }
    const at = steps.map((_, r) => quantiles(members.map((each) => each.loss[r]), [0.05, 0.5, 0.95]));
    return {
      values: at.map((each) => each[1]), band: at.map((each) => [each[0], each[2]] as const),
      colour, dash, name,
    };
  });
  const baseline = baselineOf(setting.data);
  lines.push({ values: steps.map(() => baseline), colour: "#888", width: 1, dash: "2 4", name: "best constant output" });
  return chart({
    title: study.members < FEWEST ? "Training loss" : `Training loss: median, 5 % to 95 % of ${study.members} members`,
    x: steps, xLabel: "step", yLabel: "loss (nats)", isLog: true, lines, mark: steps[record],
  });
}

/** Return the size of the signal by layer, measured at a record, predicted at the start. */
export function sizesByLayer(progress: Progress, record: number): SVGSVGElement {
  const { study, setting, steps } = progress;
  const { network, data } = setting;
  const layers = Array.from({ length: network.layers }, (_, layer) => layer + 1);
  const lines: Line[] = [];
  study.inits.forEach((init, i) => {
    const members = membersOf(progress, i);
    const values = layers.map((_, layer) => {
      const all = members.map((each) => each.layers.activation_rms[record * network.layers + layer]);
      return all.length ? quantiles(all, [0.5])[0] : NaN;
    });
    lines.push({ values, colour: colourOf(i), name: label(init), dots: true });
    const predicted = predictedRms(study, network, data, init);
    if (predicted) {
      lines.push({ values: predicted, colour: colourOf(i), dash: "4 3", width: 1.2, name: `${label(init)}, a wide network at step 0` });
    }
  });
  return chart({
    title: `Size of the signal at step ${steps[record].toLocaleString("en-US")}`,
    x: layers, xLabel: "layer", yLabel: "rms of the outputs", isLog: true, lines,
  });
}

/** Return how measured and predicted sizes are told apart. */
export function sizesLegend(): HTMLElement {
  return h(
    "ul", { class: "legend" },
    h("li", {}, lineSample("#888", ""), "measured"),
    h("li", {}, lineSample("#888", "4 3"), "theory: a wide network at step 0"),
  );
}

/** Return the names of the lines. */
export function legend({ study }: Progress): HTMLElement {
  return h(
    "ul", { class: "legend" },
    ...study.inits.map((init, i) =>
      h("li", {}, lineSample(colourOf(i), dashOf(i)), label(init)),
    ),
  );
}

/** Return every init's final losses, member by member. */
export function finalLosses(progress: Progress): number[][] {
  return progress.study.inits.map((_, i) =>
    membersOf(progress, i).map((each) => each.loss[each.loss.length - 1]),
  );
}
