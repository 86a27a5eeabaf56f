/** The controls: built once, showing whatever the study is. */

import { LIMITS, areUnits, pointsOf } from "../app/link";
import { CATALOG } from "../lab/inits";
import { ACTIVATIONS, OPTIMIZERS, PROBLEMS, SEEDINGS } from "../lab/names";
import { GENERATED } from "../lab/problems";
import { LESSON, MOST_INITS, init as initNamed, label, type Init, type Study } from "../lab/study";
import { h } from "./dom";
import { InitRow } from "./init_row";

type Changed = (change: Partial<Study>) => void;

const words = (name: string): string => name.replaceAll("_", " ");

/** The form of everything but the inits, and the list of these. */
export class Controls {
  readonly element: HTMLElement;
  readonly #lock = h("input", { id: "lock", type: "checkbox", checked: true, title: "off: every change draws anew, from the next seed" });
  readonly #rows: InitRow[] = [];
  readonly #inits = h("ol", { class: "inits" });
  readonly #fields: ((study: Study) => void)[] = [];
  /** What problems that are drawn have, and own points do not. */
  readonly #made = [
    this.#slider("noise", "noise", 0, 1, 0.01, (s) => s.noise, (noise) => ({ noise })),
    this.#number("examples", "examples", LIMITS.examples, (s) => s.examples, (examples) => ({ examples })),
  ];
  readonly #own = h("fieldset", { id: "own", hidden: true }, h("legend", {}, "Own points"));
  readonly #complaint = h("p", { class: "complaint", role: "alert" });
  /** The class that a click adds. */
  pointClass = 0;
  #study: Study = LESSON;

  constructor(private readonly changed: Changed) {
    this.#ownPoints();
    this.element = h(
      "form", { class: "controls", "aria-label": "The study" },
      h("fieldset", {}, h("legend", {}, "Where the weights start"), this.#inits, this.#adder()),
      h(
        "fieldset", {}, h("legend", {}, "What is learned"),
        this.#choice("problem", "problem", [...PROBLEMS, "points"], (s) => s.problem, (problem) => this.#problem(problem)),
        ...this.#made,
      ),
      this.#own,
      h(
        "fieldset", {}, h("legend", {}, "The network"),
        this.#text("hidden", "hidden layers", (s) => s.hidden.join(", "), (text) => {
          const hidden = text.split(/[ ,]+/).filter(Boolean).map(Number);
          return areUnits(hidden) ? { hidden } : "hidden layers: up to 30 numbers from 1 to 100, as in 10, 5";
        }),
        this.#choice("activation", "activation", ACTIVATIONS, (s) => s.activation, (activation) => ({ activation }) as Partial<Study>),
        this.#box("batch-norm", "batch norm", (s) => s.batchNorm, (batchNorm) => ({ batchNorm })),
      ),
      h(
        "fieldset", {}, h("legend", {}, "The training"),
        this.#choice("optimizer", "optimizer", OPTIMIZERS, (s) => s.optimizer, (optimizer) => ({ optimizer }) as Partial<Study>),
        this.#slider("learning-rate", "learning rate", -5, 1, 0.05, (s) => Math.log10(s.learningRate),
          (power) => ({ learningRate: Number((10 ** power).toPrecision(2)) }), (power) => Number((10 ** power).toPrecision(2)).toString()),
        this.#number("steps", "steps", LIMITS.steps, (s) => s.steps, (steps) => ({ steps })),
      ),
      h(
        "fieldset", {}, h("legend", {}, "How many, and which draws"),
        this.#slider("members", "members", 0, 8, 1, (s) => Math.log2(s.members), (power) => ({ members: 2 ** power }), (power) => String(Math.round(2 ** power))),
        this.#number("seed", "seed", LIMITS.seed, (s) => s.seed, (seed) => ({ seed })),
        this.#row("lock", "same draws", this.#lock),
        this.#choice("seeding", "draws", SEEDINGS, (s) => s.seeding, (seeding) => ({ seeding }) as Partial<Study>),
      ),
      this.#complaint,
    );
    this.element.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Show a study. */
  show(study: Study): void {
    this.#study = study;
    this.#own.hidden = study.problem !== "points";
    for (const row of this.#made) row.hidden = study.problem === "points";
    for (const field of this.#fields) field(study);
    this.#showInits(study.inits);
  }

  #change(change: Partial<Study> | string): void {
    this.#complaint.textContent = typeof change === "string" ? change : "";
    if (typeof change === "string") return;
    const isLocked = this.#lock.checked || "seed" in change;
    this.changed(isLocked ? change : { seed: (this.#study.seed + 1) % (LIMITS.seed[1] + 1), ...change });
  }

  #problem(problem: string): Partial<Study> {
    const noise = GENERATED[problem]?.noise ?? 0;
    const own: Partial<Study> = { problem: problem as Study["problem"], noise };
    if (problem !== "points" || this.#study.points.length) return own;
    // Begin with something to see.
    return { ...own, points: [[-1, 0, 0], [0, 1, 0], [1, 0, 1], [0, -1, 1]] };
  }

  #row(id: string, name: string, input: HTMLElement, more: HTMLElement[] = []): HTMLElement {
    return h("div", { class: "row" }, h("label", { for: id }, name), input, ...more);
  }

  #choice(id: string, name: string, names: readonly string[], get: (s: Study) => string, set: (value: string) => Partial<Study>): HTMLElement {
    const input = h("select", { id }, ...names.map((each) => h("option", { value: each }, words(each))));
    input.addEventListener("change", () => this.#change(set(input.value)));
    this.#fields.push((study) => (input.value = get(study)));
    return this.#row(id, name, input);
  }

  #slider(
    id: string, name: string, low: number, high: number, step: number,
    get: (s: Study) => number, set: (value: number) => Partial<Study>,
    shown: (value: number) => string = (value) => String(Number(value.toFixed(3))),
  ): HTMLElement {
    const input = h("input", { id, type: "range", min: low, max: high, step });
    const output = h("output", { for: id });
    const show = (value: number): void => {
      output.textContent = shown(value);
      input.setAttribute("aria-valuetext", shown(value));
    };
    input.addEventListener("input", () => {
      show(Number(input.value));
      this.#change(set(Number(input.value)));
    });
    this.#fields.push((study) => {
      input.value = String(get(study));
      show(get(study));
    });
    return this.#row(id, name, input, [output]);
  }

  #number(id: string, name: string, [low, high]: readonly [number, number], get: (s: Study) => number, set: (value: number) => Partial<Study>): HTMLElement {
    const input = h("input", { id, type: "number", min: low, max: high, step: 1 });
    input.addEventListener("change", () => {
      const value = Number(input.value);
      const isRight = input.value !== "" && Number.isInteger(value) && value >= low && value <= high;
      this.#change(isRight ? set(value) : `${name}: a whole number from ${low} to ${high}`);
      if (!isRight) input.value = String(get(this.#study));
    });
    this.#fields.push((study) => (input.value = String(get(study))));
    return this.#row(id, name, input);
  }

  #text(id: string, name: string, get: (s: Study) => string, set: (text: string) => Partial<Study> | string): HTMLElement {
    const input = h("input", { id, type: "text", spellcheck: "false" });
    input.addEventListener("change", () => this.#change(set(input.value)));
    this.#fields.push((study) => (input.value = get(study)));
    return this.#row(id, name, input);
  }

  #box(id: string, name: string, get: (s: Study) => boolean, set: (value: boolean) => Partial<Study>): HTMLElement {
    const input = h("input", { id, type: "checkbox" });
    input.addEventListener("change", () => this.#change(set(input.checked)));
    this.#fields.push((study) => (input.checked = get(study)));
    return this.#row(id, name, input);
  }

  #adder(): HTMLElement {
    const input = h("select", { id: "add-init", "aria-label": "add an init" },
      h("option", { value: "" }, "add an init…"), ...Object.keys(CATALOG).map((name) => h("option", { value: name }, name)));
    input.addEventListener("change", () => {
      const added = input.value;
      input.value = "";
      if (!added) return;
      const { inits } = this.#study;
      if (inits.length >= MOST_INITS) this.#change(`inits: at most ${MOST_INITS}; remove one first`);
      else this.#setInits([...inits, fresh(added, inits)]);
    });
    return input;
  }

  #setInits(inits: readonly Init[]): void {
    const labels = inits.map(label);
    const twice = labels.find((each, i) => labels.indexOf(each) !== i);
    this.#change(twice ? `inits: ${twice} is there already` : { inits });
    if (twice) this.#showInits(this.#study.inits);
  }

  /** Fill the rows; one that is dragged or typed into stays where it is. */
  #showInits(inits: readonly Init[]): void {
    while (this.#rows.length > inits.length) this.#rows.pop()?.element.remove();
    while (this.#rows.length < inits.length) {
      const at = this.#rows.length;
      const row = new InitRow(at, {
        replace: (other) => this.#setInits(this.#study.inits.map((each, i) => (i === at ? other : each))),
        remove: () => this.#setInits(this.#study.inits.filter((_, i) => i !== at)),
        complain: (says) => this.#change(says),
      });
      this.#rows.push(row);
      this.#inits.append(row.element);
    }
    this.#rows.forEach((row, i) => row.fill(inits[i], inits.length === 1));
  }

  #ownPoints(): void {
    const which = h("select", { id: "point-class" }, ...[0, 1, 2, 3, 4, 5].map((each) => h("option", { value: each }, `class ${each}`)));
    which.addEventListener("change", () => (this.pointClass = Number(which.value)));
    const paste = h("textarea", { id: "paste", rows: 4, placeholder: "x,y,class\n0.5,1.2,0", spellcheck: "false" });
    const use = h("button", { type: "button", id: "use-points" }, "use these points");
    use.addEventListener("click", () => {
      const { points, refused } = pointsOf(paste.value);
      const classes = new Set(points.map((each) => each[2])).size;
      if (points.length < 2 || classes < 2) {
        this.#change(refused[0] ?? "points: lines of x,y,class, and two classes at least");
        return;
      }
      this.#change({ points });
      if (refused.length) this.#complaint.textContent = `${refused.length} lines left out; ${refused[0]}`;
    });
    const clear = h("button", { type: "button", id: "clear-points" }, "start over");
    clear.addEventListener("click", () => this.#change({ points: [[-1, 0, 0], [1, 0, 1]] }));
    this.#own.append(
      h("p", {}, "Click into the first picture to add a point of"), which,
      h("label", { for: "paste" }, "or paste CSV:"), paste, use, clear,
    );
  }
}

/** Return an init of that name that is not there yet. */
function fresh(name: string, inits: readonly Init[]): Init {
  const labels = inits.map(label);
  let found = initNamed(name);
  for (let scale = 2; labels.includes(label(found)); scale++) found = { ...found, scale };
  return found;
}
