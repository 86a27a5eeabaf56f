/** One init of the study: its name and numbers, its scale, its bias. */

import { initOf } from "../app/link";
import { label, type Init } from "../lab/study";
import { colourOf } from "./colours";
import { h } from "./dom";

/** What a row asks for. */
export interface Wishes {
  readonly replace: (other: Init) => void;
  readonly remove: () => void;
  readonly complain: (says: string) => void;
}

const FINEST = 0.01; // the scale slider's lower end

/** Made once and filled anew, so that a slider is not lost while it is dragged. */
export class InitRow {
  readonly element: HTMLElement;
  readonly #text: HTMLInputElement;
  readonly #scale: HTMLInputElement;
  readonly #shown = h("output", {});
  readonly #bias: HTMLInputElement;
  readonly #remove: HTMLButtonElement;
  #init: Init | null = null;

  constructor(at: number, private readonly wishes: Wishes) {
    const [id, which] = [`init-${at}`, `init ${at + 1}`];
    this.#text = h("input", { id: `${id}-text`, type: "text", "aria-label": which, spellcheck: "false" });
    this.#scale = h("input", { id: `${id}-scale`, type: "range", min: -2, max: 2, step: 0.05, "aria-label": `scale of ${which}` });
    this.#bias = h("input", { id: `${id}-bias`, type: "number", step: 0.1, "aria-label": `bias of ${which}` });
    this.#remove = h("button", { id: `${id}-remove`, type: "button" }, "×");
    this.#text.addEventListener("change", () => this.#typed());
    this.#scale.addEventListener("input", () => this.#scaled());
    this.#bias.addEventListener("change", () => this.#biased());
    this.#remove.addEventListener("click", () => wishes.remove());
    this.element = h(
      "li", {}, h("span", { class: "swatch", style: `background:${colourOf(at)}` }), this.#text, this.#remove,
      h(
        "div", { class: "scale" },
        h("span", {}, "scale"), this.#scale, this.#shown, h("span", {}, "bias"), this.#bias,
      ),
    );
  }

  /** Show an init; the only one cannot be removed. */
  fill(init: Init, isOnly: boolean): void {
    this.#init = init;
    this.#text.value = label(init);
    this.#scale.value = String(Math.log10(Math.abs(init.scale) || FINEST));
    const shown = `×${Number(init.scale.toPrecision(2))}`;
    this.#shown.textContent = shown;
    this.#scale.setAttribute("aria-valuetext", shown);
    this.#bias.value = String(init.bias);
    this.#remove.disabled = isOnly;
    this.#remove.setAttribute("aria-label", `remove ${label(init)}`);
  }

  #typed(): void {
    const read = initOf(this.#text.value);
    if (read) this.wishes.replace(read);
    else {
      this.wishes.complain(
        `init ${this.#text.value}: a name of the list, with numbers, as in normal(std=10) or he_normal(scale=2, bias=0.1)`,
      );
      this.#text.value = this.#init ? label(this.#init) : "";
    }
  }

  #scaled(): void {
    if (!this.#init) return;
    const scale = Number((10 ** Number(this.#scale.value)).toPrecision(2));
    this.wishes.replace({ ...this.#init, scale: Math.abs(scale - 1) < 1e-9 ? 1 : scale });
  }

  #biased(): void {
    if (!this.#init) return;
    const isRead = this.#bias.value !== "" && Number.isFinite(Number(this.#bias.value));
    if (isRead) this.wishes.replace({ ...this.#init, bias: Number(this.#bias.value) });
    else {
      this.wishes.complain("bias: a number, as in 0.1");
      this.#bias.value = String(this.#init.bias);
    }
  }
}
