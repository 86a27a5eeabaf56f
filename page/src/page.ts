/** The page: a study in the address, trained whenever it changes, looked at in time. */

import {
  POINTS, csvOf, gathered, jsonOf, pictureOf, pngOf, pointsAsCsv, pythonOf, save, standalone, tomlOf,
} from "./app/exports";
import { Laboratory, type Progress } from "./app/laboratory";
import { linkOf, studyOf } from "./app/link";
import { studyAt, TOURS, type Tour } from "./app/tours";
import { FEWEST, statements } from "./lab/statements";
import { label, recordedSteps, type Study } from "./lab/study";
import { pointAt } from "./view/boundary";
import { Controls } from "./view/controls";
import { byId, h } from "./view/dom";
import { Panel, type Look } from "./view/panels";
import { finalLosses, legend, lossCurves, sizesByLayer, sizesLegend } from "./view/summary";

const FRAME = 40; // milliseconds of a record when playing

class Page {
  readonly #laboratory = new Laboratory((progress) => this.#heard(progress));
  readonly #controls = new Controls((change) => this.set({ ...this.#study, ...change }));
  #study: Study;
  #progress: Progress | null = null;
  #panels: Panel[] = [];
  #look: Look = { record: 0, links: "weight" };
  /** Whether the end is shown, wherever it is. */
  #isAtEnd = true;
  #playing = 0;
  #tour: { tour: Tour; at: number } | null = null;
  #asked = 0;
  #drawn = 0;

  constructor() {
    byId("controls").append(this.#controls.element);
    const given = byId("study").textContent?.trim() ?? "";
    this.#study = studyOf(location.hash.length > 1 ? location.hash : given);
    this.#listen();
    this.set(this.#study);
  }

  /** Show another study, and train it. */
  set(study: Study): void {
    this.#study = study;
    const link = linkOf(study);
    // A frame of a notebook has no address of its own.
    if (location.protocol !== "about:") {
      history.replaceState(null, "", link ? `#${link}` : location.pathname + location.search);
    }
    // A notebook that holds the page in a frame hears what it shows.
    if (parent !== window) parent.postMessage({ initlab: link }, "*");
    this.#controls.show(study);
    this.#matchPanels();
    const last = recordedSteps(study.steps).length - 1;
    byId<HTMLInputElement>("time").max = String(last);
    if (this.#isAtEnd) this.#look = { ...this.#look, record: last };
    else this.#look = { ...this.#look, record: Math.min(this.#look.record, last) };
    // Sliders give many changes a frame; the last one counts.
    cancelAnimationFrame(this.#asked);
    this.#asked = requestAnimationFrame(() => this.#laboratory.train(study));
  }

  /** Have a panel per init, each under its name. */
  #matchPanels(): void {
    const { inits } = this.#study;
    const isOpen = this.#panels.some((each) => each.isOpen);
    while (this.#panels.length > inits.length) this.#panels.pop()?.element.remove();
    while (this.#panels.length < inits.length) {
      const panel = new Panel(this.#panels.length);
      panel.open(isOpen);
      panel.whenOpened(() => {
        for (const each of this.#panels) each.open(panel.isOpen);
        this.#draw();
      });
      panel.canvas.addEventListener("click", (event) => this.#clicked(panel, event));
      this.#panels.push(panel);
      byId("panels").append(panel.element);
    }
    this.#panels.forEach((panel, i) => panel.name(label(inits[i])));
  }

  #clicked(panel: Panel, event: MouseEvent): void {
    if (this.#study.problem !== "points" || !this.#progress) return;
    const [x, y] = pointAt(panel.canvas, this.#progress.setting.data, event);
    this.set({ ...this.#study, points: [...this.#study.points, [x, y, this.#controls.pointClass]] });
  }

  #heard(progress: Progress): void {
    this.#progress = progress;
    const bar = byId<HTMLProgressElement>("progress");
    bar.value = progress.share;
    bar.hidden = progress.isDone;
    byId("stop").hidden = progress.isDone;
    const networks = progress.study.inits.length * progress.study.members;
    byId("time-taken").textContent = progress.isDone
      ? `${networks} networks, ${progress.study.steps.toLocaleString("en-US")} steps each: ${(progress.milliseconds / 1000).toFixed(2)} s`
      : `training ${networks} networks…`;
    document.body.dataset.state = progress.isDone ? "done" : "training";
    this.#draw();
  }

  /** Draw at the next frame, once. */
  #draw(): void {
    cancelAnimationFrame(this.#drawn);
    this.#drawn = requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow(): void {
    const progress = this.#progress;
    if (!progress) return;
    const record = Math.min(this.#look.record, progress.steps.length - 1);
    const look = { ...this.#look, record };
    byId<HTMLInputElement>("time").value = String(record);
    byId("step").textContent = `step ${progress.steps[record].toLocaleString("en-US")}`;
    byId("curves").replaceChildren(lossCurves(progress, record), legend(progress));
    byId("sizes").replaceChildren(sizesByLayer(progress, record), sizesLegend());
    byId("statements").replaceChildren(...this.#said(progress).map((each) => h("li", {}, each)));
    this.#panels.forEach((panel) => {
      if (panel.init < progress.study.inits.length) panel.fill(progress, look);
    });
  }

  #said(progress: Progress): string[] {
    const isChaotic = progress.study.inits.some(({ name, parameters, scale }) => name === "normal" && (parameters.std ?? 0.01) * scale >= 5);
    const { study, isDone } = progress;
    const isCompared = isDone && study.inits.length > 1;
    const said = !isCompared ? []
      : study.members < FEWEST ? ["One seed decides nothing: ask for more members to compare inits."]
      : statements(study, finalLosses(progress));
    return [
      ...said,
      ...(isChaotic
        ? ["Starts as large as these train chaotically: in another precision, or with another order of additions, such a network ends elsewhere. Its single numbers mean little."]
        : []),
    ];
  }

  #listen(): void {
    const time = byId<HTMLInputElement>("time");
    time.addEventListener("input", () => this.#goTo(Number(time.value)));
    byId("play").addEventListener("click", () => (this.#playing ? this.#pause() : this.#play()));
    byId("rewind").addEventListener("click", () => this.#goTo(0));
    byId("stop").addEventListener("click", () => this.#stopped());
    byId("links").addEventListener("change", (event) => {
      this.#look = { ...this.#look, links: (event.target as HTMLSelectElement).value as Look["links"] };
      this.#draw();
    });
    byId("theme").addEventListener("click", () => {
      const { dataset } = document.documentElement;
      const isDark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      dataset.theme = isDark ? "light" : "dark";
    });
    window.addEventListener("hashchange", () => {
      const study = studyOf(location.hash);
      if (linkOf(study) !== linkOf(this.#study)) this.set(study);
    });
    byId("reset").addEventListener("click", () => {
      this.#tour = null;
      this.#showTour();
      this.set(studyOf(""));
    });
    this.#listenToExports();
    byId("tours").append(
      ...TOURS.map((tour) => {
        const button = h("button", { type: "button" }, tour.name);
        button.addEventListener("click", () => this.#visit(tour, 0));
        return button;
      }),
    );
    byId("tour-next").addEventListener("click", () => this.#tour && this.#visit(this.#tour.tour, this.#tour.at + 1));
    byId("tour-end").addEventListener("click", () => {
      this.#tour = null;
      this.#showTour();
    });
  }

  #listenToExports(): void {
    const now = (make: (progress: Progress) => void) => (): void => {
      if (this.#progress) make(this.#progress);
    };
    byId("export-python").addEventListener("click", now((p) => save("study.py", pythonOf(p), "text/x-python")));
    byId("export-toml").addEventListener("click", now((p) => {
      save("study.toml", tomlOf(p), "application/toml");
      if (p.study.problem === "points") save(POINTS, pointsAsCsv(p.study), "text/csv");
    }));
    byId("export-json").addEventListener("click", now((p) => save("study.json", jsonOf(p), "application/json")));
    byId("export-csv").addEventListener("click", now((p) => save("study.csv", csvOf(p), "text/csv")));
    byId("export-svg").addEventListener("click", () => {
      for (const [name, svg] of this.#pictures()) save(`${name}.svg`, standalone(svg), "image/svg+xml");
    });
    byId("export-png").addEventListener("click", () => {
      for (const [name, svg] of this.#pictures()) void pngOf(svg).then((png) => save(`${name}.png`, png, "image/png"));
    });
  }

  /** Return every picture that is shown, by name: charts, boundaries, and what is inside. */
  #pictures(): [string, SVGSVGElement][] {
    const found: [string, SVGSVGElement][] = [];
    for (const name of ["curves", "sizes"]) {
      const svg = byId(name).querySelector("svg");
      if (svg) found.push([name, svg]);
    }
    for (const panel of this.#panels) {
      found.push([`boundary-${panel.init + 1}`, pictureOf(panel.canvas)]);
      const inside = [...panel.element.querySelectorAll<SVGSVGElement>(".inside svg")];
      if (inside.length) found.push([`inside-${panel.init + 1}`, gathered(inside)]);
    }
    return found;
  }

  #goTo(record: number): void {
    this.#isAtEnd = this.#progress !== null && record >= this.#progress.steps.length - 1;
    this.#look = { ...this.#look, record };
    this.#draw();
  }

  #play(): void {
    if (!this.#progress) return;
    const last = this.#progress.steps.length - 1;
    if (this.#look.record >= last) this.#goTo(0);
    byId("play").textContent = "pause";
    this.#playing = window.setInterval(() => {
      if (this.#look.record >= last) this.#pause();
      else this.#goTo(this.#look.record + 1);
    }, FRAME);
  }

  #pause(): void {
    clearInterval(this.#playing);
    this.#playing = 0;
    byId("play").textContent = "play";
  }

  #stopped(): void {
    this.#laboratory.stop();
    byId("progress").hidden = true;
    byId("stop").hidden = true;
    byId("time-taken").textContent = "stopped; change anything to train again";
    document.body.dataset.state = "stopped";
  }

  #visit(tour: Tour, at: number): void {
    this.#tour = at < tour.stops.length ? { tour, at } : null;
    this.#showTour();
    if (this.#tour) this.set(studyAt(tour.stops[at]));
  }

  #showTour(): void {
    const box = byId("tour");
    box.hidden = this.#tour === null;
    if (!this.#tour) return;
    const { tour, at } = this.#tour;
    byId("tour-text").textContent = `${tour.name}, ${at + 1} of ${tour.stops.length}. ${tour.stops[at].says}`;
    byId("tour-next").textContent = at + 1 < tour.stops.length ? "next" : "done";
    box.scrollIntoView({ block: "nearest" });
  }
}

new Page();
