/** Axes of a picture, and the lines and bands in it. */

import { scaleLinear, scaleLog } from "d3-scale";
import { area, line } from "d3-shape";
import { significant } from "../causes/sentences";
import { s } from "./dom";

export interface Line {
  readonly values: readonly number[];
  readonly colour: string;
  readonly dash?: string;
  readonly width?: number;
  readonly name?: string;
  /** Low and high of a band. */
  readonly band?: readonly (readonly [number, number])[];
  readonly dots?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly isLog: boolean;
  readonly lines: readonly Line[];
  /** Where a vertical line marks the moment that is shown. */
  readonly mark?: number;
  readonly width?: number;
  readonly height?: number;
}

const MARGIN = { top: 26, right: 12, bottom: 36, left: 66 };

/** Return a picture of lines over x. */
export function chart(given: Chart): SVGSVGElement {
  const { width = 430, height = 230 } = given;
  const seen = given.lines
    .flatMap((each) => [...each.values, ...(each.band ?? []).flat()])
    .filter((each) => Number.isFinite(each) && (!given.isLog || each > 0));
  const [low, high] = seen.length ? [Math.min(...seen), Math.max(...seen)] : [0.1, 1];
  const isLog = given.isLog && high > low * 1.5;
  const x = scaleLinear()
    .domain([given.x[0], given.x.at(-1) === given.x[0] ? given.x[0] + 1 : (given.x.at(-1) as number)])
    .range([MARGIN.left, width - MARGIN.right]);
  const pad = high > low ? 0.04 * (high - low) : Math.max(0.5, Math.abs(high) * 0.1);
  const y = (isLog ? scaleLog().domain([low / 1.15, high * 1.15]) : scaleLinear().domain([low - pad, high + pad])).range(
    [height - MARGIN.bottom, MARGIN.top],
  );
  const isShown = (each: number): boolean => Number.isFinite(each) && (!isLog || each > 0);
  const picture = s("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": given.title, class: "chart",
  });
  picture.append(s("text", { x: 4, y: 16, class: "title" }, given.title));
  const ticks = isLog ? decades(low, high) : y.ticks(5);
  for (const tick of ticks) {
    picture.append(
      s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick), class: "grid" }),
      s("text", { x: MARGIN.left - 6, y: y(tick) + 3.5, class: "tick end" }, readable(tick)),
    );
  }
  for (const tick of x.ticks(Math.min(6, given.x.length))) {
    if (given.x.length < 40 && !Number.isInteger(tick)) continue;
    picture.append(
      s("text", { x: x(tick), y: height - MARGIN.bottom + 15, class: "tick middle" }, tick.toLocaleString("en-US")),
    );
  }
  picture.append(
    s("text", { x: (MARGIN.left + width) / 2, y: height - 5, class: "axis middle" }, given.xLabel),
    s("text", { x: 12, y: height / 2, class: "axis middle", transform: `rotate(-90 12 ${height / 2})` }, given.yLabel),
  );
  given.lines.forEach((each) => {
    if (each.band) {
      const shape = area<readonly [number, number]>()
        .defined(([a, b]) => isShown(a) && isShown(b))
        .x((_, i) => x(given.x[i]))
        .y0(([a]) => y(a))
        .y1(([, b]) => y(b));
      picture.append(s("path", { d: shape(each.band) ?? "", fill: each.colour, class: "band" }));
    }
    const path = line<number>().defined(isShown).x((_, i) => x(given.x[i])).y((value) => y(value));
    picture.append(
      s("path", {
        d: path(each.values) ?? "", stroke: each.colour, class: "line",
        "stroke-dasharray": each.dash, "stroke-width": each.width ?? 1.8,
      }, ...(each.name ? [s("title", {}, each.name)] : [])),
    );
    if (each.dots) {
      each.values.forEach((value, i) => {
        if (isShown(value)) {
          picture.append(s("circle", { cx: x(given.x[i]), cy: y(value), r: 3, fill: each.colour }));
        }
      });
    }
  });
  if (given.mark !== undefined) {
    const at = x(given.mark);
    picture.append(s("line", { x1: at, x2: at, y1: MARGIN.top, y2: height - MARGIN.bottom, class: "mark" }));
  }
  return picture;
}

function readable(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return significant(value, 3);
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 6 });
}

/** Return powers of ten, or 1, 2 and 5 times them where there are few. */
function decades(low: number, high: number): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = to - from > 3 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil((to - from) / 7));
  const found: number[] = [];
  for (let power = from; power <= to; power += every) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low / 1.15 && tick <= high * 1.15) found.push(tick);
    }
  }
  return found;
}

/** Return a piece of a line, for a legend. */
export function lineSample(colour: string, dash: string): SVGSVGElement {
  return s(
    "svg", { viewBox: "0 0 30 8", width: 30, height: 8, "aria-hidden": true },
    s("line", { x1: 0, x2: 30, y1: 4, y2: 4, stroke: colour, "stroke-width": 2.4, "stroke-dasharray": dash }),
  );
}

/** Return a small histogram. */
export function histogram(values: ArrayLike<number>, colour: string, title: string): SVGSVGElement {
  const [width, height, bins] = [90, 62, 20];
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, class: "chart small" });
  picture.append(s("text", { x: 2, y: 10, class: "tick" }, title));
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) return picture;
  if (high - low < 1e-12) [low, high] = [low - 0.5, high + 0.5];
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(bins - 1, Math.floor(((values[i] - low) / (high - low)) * bins))]++;
  }
  const top = Math.max(...counts);
  counts.forEach((count, i) => {
    const tall = (count / top) * (height - 28);
    picture.append(
      s("rect", { x: (i * width) / bins, y: height - 13 - tall, width: width / bins - 0.5, height: tall, fill: colour }),
    );
  });
  picture.append(
    s("text", { x: 0, y: height - 2, class: "tick" }, significant(low, 2)),
    s("text", { x: width, y: height - 2, class: "tick end" }, significant(high, 2)),
  );
  return picture;
}
