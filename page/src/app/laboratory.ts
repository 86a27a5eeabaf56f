/** The workers, from the page's side: one study at a time, the latest wins. */

import { groups, settingOf, type Setting } from "../lab/laboratory";
import { recordedSteps, type Study } from "../lab/study";
import type { History } from "../lab/train";
import type { Order, Report } from "../worker";

declare const WORKER: string;

/** A study's training as far as it is. */
export interface Progress {
  readonly study: Study;
  readonly setting: Setting;
  readonly steps: readonly number[];
  /** By network's number; missing while it trains. */
  readonly histories: ReadonlyMap<number, History>;
  /** In [0, 1]. */
  readonly share: number;
  readonly isDone: boolean;
  readonly milliseconds: number;
}

export class Laboratory {
  readonly #workers: Worker[] = [];
  #id = 0;

  constructor(private readonly heard: (progress: Progress) => void) {}

  /** Train a study to the end, and forget the one before. */
  train(study: Study): void {
    const id = ++this.#id;
    const setting = settingOf(study);
    const steps = recordedSteps(study.steps);
    const all = groups(study);
    const histories = new Map<number, History>();
    const count = Math.min(all.length, Math.max(1, navigator.hardwareConcurrency || 2));
    const done = new Array<number>(count).fill(0);
    const began = performance.now();
    let working = count;
    for (let w = 0; w < count; w++) {
      const worker = this.#worker(w);
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if (data.id !== id || id !== this.#id) return;
        for (const history of data.histories) histories.set(history.number, history);
        done[w] = data.done;
        if (data.isLast) working--;
        const share = done.reduce((a, b) => a + b, 0) / (all.length * steps.length);
        this.heard({
          study, setting, steps, histories, share: working ? share : 1,
          isDone: working === 0, milliseconds: performance.now() - began,
        });
      };
      const mine = all.filter((_, g) => g % count === w);
      worker.postMessage({ id, study, groups: mine } satisfies Order);
    }
  }

  /** Stop what trains. */
  stop(): void {
    this.#id++;
    for (const worker of this.#workers.splice(0)) worker.terminate();
  }

  #worker(number: number): Worker {
    this.#workers[number] ??= new Worker(
      URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })),
    );
    return this.#workers[number];
  }
}
