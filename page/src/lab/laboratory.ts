/** A study trained from start to end, wherever it runs: worker, test or page. */

import { drawn } from "./inits";
import type { Kernels } from "./kernels";
import { LANES, networkOf, type Network } from "./layout";
import { load, type Data } from "./problems";
import type { Study } from "./study";
import { Trainer, type History, type Start } from "./train";

/** Return the numbers of the networks that are trained together, four at a time. */
export function groups(study: Study): number[][] {
  const networks = study.inits.length * study.members;
  // Member 0 of every init first: what is pictured is there first.
  const order = Array.from({ length: networks }, (_, i) => {
    const [member, init] = [Math.floor(i / study.inits.length), i % study.inits.length];
    return init * study.members + member;
  });
  return Array.from({ length: Math.ceil(networks / LANES) }, (_, g) =>
    order.slice(g * LANES, (g + 1) * LANES),
  );
}

/** What a study is about, before anything is trained. */
export interface Setting {
  readonly data: Data;
  readonly network: Network;
}

export function settingOf(study: Study): Setting {
  const data = load(study);
  return { data, network: networkOf(study, data) };
}

/** Train a group; yields its histories, which fill on the way, after each kernel call. */
export function* trained(
  kernels: Kernels,
  study: Study,
  { data, network }: Setting,
  numbers: readonly number[],
): Generator<History[], History[]> {
  const starts = numbers.map((number): Start => {
    const init = study.inits[Math.floor(number / study.members)];
    const member = number % study.members;
    return {
      number,
      layers: drawn(study, network.widths, init, member),
      isPictured: member === 0,
    };
  });
  return yield* new Trainer(kernels, study, data).train(starts);
}
