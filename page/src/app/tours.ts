/** Guided tours: one minute each, a study and a sentence a step. */

import { init, LESSON, type Study } from "../lab/study";

export interface Stop {
  readonly says: string;
  readonly study: Partial<Study>;
}

export interface Tour {
  readonly name: string;
  readonly stops: readonly Stop[];
}

export const TOURS: readonly Tour[] = [
  {
    name: "Symmetry",
    stops: [
      {
        says: "All weights start at 0. Every unit of a layer then computes the same and gets the same gradient: ten units are one unit.",
        study: { inits: [init("zeros")] },
      },
      {
        says: "It is not the zero. Start all weights at 0.5 and the units are copies all the same: the number of distinct units stays 1.",
        study: { inits: [init("zeros"), init("constant", { value: 0.5 })] },
      },
      {
        says: "The smallest random difference breaks the symmetry. How long it takes to matter is another question.",
        study: { inits: [init("constant", { value: 0.5 }), init("normal", { std: 0.01 }), init("he_normal")] },
      },
    ],
  },
  {
    name: "Too large",
    stops: [
      {
        says: "normal(std=10): before the first step the network is certain, and often wrong. The first loss is over a thousand.",
        study: { inits: [init("normal", { std: 10 }), init("he_normal")] },
      },
      {
        says: "It learns, but where it ends is chaotic: the same start in another precision takes another path. Look at the spread of 64 seeds.",
        study: { inits: [init("normal", { std: 10 }), init("he_normal")], members: 64, steps: 3000, seeding: "stream" },
      },
    ],
  },
  {
    name: "Too small",
    stops: [
      {
        says: "normal(std=0.01): the signal shrinks from layer to layer, and with it the gradient. The loss stays at ln 2, that of a guess.",
        study: { inits: [init("normal", { std: 0.01 }), init("he_normal")] },
      },
      {
        says: "Adam divides every gradient by its own size. The same small start learns.",
        study: { inits: [init("normal", { std: 0.01 }), init("he_normal")], optimizer: "adam" },
      },
    ],
  },
  {
    name: "Depth",
    stops: [
      {
        says: "Two hidden layers: LeCun's scale, made for linear units, is as good as He's.",
        study: { inits: [init("lecun_normal"), init("he_normal")], hidden: [10, 10], steps: 3000 },
      },
      {
        says: "Twelve hidden layers: each ReLU halves the second moment that LeCun's weights keep; He's make up for it. Look at the measured and predicted size by layer.",
        study: { inits: [init("lecun_normal"), init("he_normal")], hidden: Array(12).fill(10), steps: 3000 },
      },
      {
        says: "Twelve layers of 10 units are narrow: one seed says little. 16 members each.",
        study: { inits: [init("lecun_normal"), init("he_normal")], hidden: Array(12).fill(10), steps: 600, members: 16, examples: 120, seeding: "stream" },
      },
    ],
  },
  {
    name: "Many seeds",
    stops: [
      {
        says: "One seed: He's ends lower than normal(std=1), or higher. One seed decides nothing.",
        study: { inits: [init("normal", { std: 1 }), init("he_normal")], steps: 3000 },
      },
      {
        says: "200 members: at this learning rate plain normal(std=1) ends with the lower training loss in most of them. The interval says how sure that is.",
        study: { inits: [init("normal", { std: 1 }), init("he_normal")], members: 200, steps: 3000 },
      },
    ],
  },
  {
    name: "Learning rate against init",
    stops: [
      {
        says: "At 0.01 the larger start learns faster: its gradients are larger.",
        study: { inits: [init("normal", { std: 1 }), init("he_normal")], members: 64, steps: 2000 },
      },
      {
        says: "At 0.1 no order of the two is left: what looked like a better init was a larger step. Compare inits each at its own best rate.",
        study: { inits: [init("normal", { std: 1 }), init("he_normal")], members: 64, steps: 2000, learningRate: 0.1 },
      },
    ],
  },
];

export const studyAt = (stop: Stop): Study => ({ ...LESSON, ...stop.study });
