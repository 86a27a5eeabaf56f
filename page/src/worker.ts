/** Trains the groups it is told, and reports while it does. */

import { Kernels } from "./lab/kernels";
import { settingOf, trained } from "./lab/laboratory";
import type { Study } from "./lab/study";
import type { History } from "./lab/train";

/** What a worker is told; a later order replaces an earlier one. */
export interface Order {
  readonly id: number;
  readonly study: Study;
  readonly groups: readonly (readonly number[])[];
}

/** What it answers: histories as far as they are, and how much is done. */
export interface Report {
  readonly id: number;
  readonly histories: readonly History[];
  /** Records of all its groups that are done, and that there are. */
  readonly done: number;
  readonly isLast: boolean;
}

const PAUSE = 40; // milliseconds between reports

const scope = self as unknown as DedicatedWorkerGlobalScope;
const kernels = Kernels.ready();
let current = 0;

/** Let messages in. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

async function obey({ id, study, groups }: Order): Promise<void> {
  const ready = await kernels;
  const setting = settingOf(study);
  const report = (histories: readonly History[], done: number, isLast: boolean): void =>
    scope.postMessage({ id, histories, done, isLast } satisfies Report);
  let done = 0;
  for (const numbers of groups) {
    const training = trained(ready, study, setting, numbers);
    // At once the first time, so that there is something to see.
    let spoke = -Infinity;
    let state = training.next();
    while (!state.done) {
      if (performance.now() - spoke > PAUSE) {
        report(state.value, done + state.value[0].reached, false);
        await pause();
        if (current !== id) return;
        spoke = performance.now();
      }
      state = training.next();
    }
    done += state.value[0].loss.length;
    report(state.value, done, false);
    await pause();
    if (current !== id) return;
  }
  report([], done, true);
}

scope.onmessage = ({ data }: MessageEvent<Order>) => {
  current = data.id;
  void obey(data);
};
