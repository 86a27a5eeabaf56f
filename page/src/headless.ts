/** The laboratory without a page, for tests: studies in, numbers out, as JSON lines. */

import { createInterface } from "node:readline";
import { causeOf } from "./causes/rules";
import { runOf } from "./causes/run";
import { sentence } from "./causes/sentences";
import { CATALOG, drawn } from "./lab/inits";
import { Kernels } from "./lab/kernels";
import { groups, settingOf, trained } from "./lab/laboratory";
import { statements } from "./lab/statements";
import { LESSON, type Study } from "./lab/study";
import type { History } from "./lab/train";

const kernels = await Kernels.ready();

for await (const line of createInterface({ input: process.stdin })) {
  const { pictures = false, ...given } = JSON.parse(line);
  const study: Study = { ...LESSON, ...given };
  const setting = settingOf(study);
  const { data, network } = setting;
  const networks: { number: number; loss: string[]; [name: string]: unknown }[] = [];
  for (const group of groups(study)) {
    const steps = trained(kernels, study, setting, group);
    let step = steps.next();
    while (!step.done) step = steps.next();
    for (const history of step.value) {
      const cause = causeOf(runOf(study, network, data, history));
      networks.push({
        number: history.number,
        loss: Array.from(history.loss, String),
        accuracy: Array.from(history.trainAccuracy, String),
        test: Array.from(history.testAccuracy, String),
        diverged: history.divergedStep,
        cause: cause.id,
        evidence: cause.evidence,
        sentence: sentence(cause),
        pictured: pictures ? pictured(history) : null,
      });
    }
  }
  const weights = study.inits.map((init) =>
    drawn(study, network.widths, init, study.members - 1).map(({ weight, bias }) => [
      Array.from(weight, exact),
      Array.from(bias, exact),
    ]),
  );
  networks.sort((a, b) => a.number - b.number);
  const losses = study.inits.map((_, i) =>
    networks.slice(i * study.members, (i + 1) * study.members).map(({ loss }) => Number(loss.at(-1))),
  );
  console.log(
    JSON.stringify({
      statements: statements(study, losses),
      catalog: Object.fromEntries(
        Object.entries(CATALOG).map(([name, { parameters }]) => [name, Object.keys(parameters)]),
      ),
      networks,
      weights,
      x: Array.from(data.train.x, exact),
      y: Array.from(data.train.classes),
      test_x: Array.from(data.test.x, exact),
    }),
  );
}

/** Return what is kept of a network that is shown, as lists. */
function pictured({ snapshots, gradients, updates }: History): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries({ snapshots, gradients, updates }).map(([name, each]) => [name, Array.from(each ?? [])]),
  );
}

/** Return the bytes of a number in hexadecimal. */
function exact(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}
