/** What a network answers over the plane, and the examples. */

import { Pass, probabilities, type Moment } from "../lab/forward";
import type { Data } from "../lab/problems";
import { classColour } from "./colours";

const GRID = 70;
const MARGIN = 0.15;

export interface Window {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** Return the part of the plane that is shown. */
export function windowOf({ train }: Data): Window {
  const ends = (offset: number): [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = offset; i < train.x.length; i += 2) {
      low = Math.min(low, train.x[i]);
      high = Math.max(high, train.x[i]);
    }
    if (!(high > low)) return [-1.5, 1.5];
    const more = MARGIN * (high - low);
    return [low - more, high + more];
  };
  return { x: ends(0), y: ends(1) };
}

/** Draw the answers of a network as colours, and the examples over them. */
export function drawBoundary(canvas: HTMLCanvasElement, moment: Moment | null, data: Data): void {
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  const window = windowOf(data);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (moment && Number.isFinite(moment.parameters[0])) {
    const image = answers(moment, window);
    const small = new OffscreenCanvas(GRID, GRID);
    (small.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(small, 0, 0, canvas.width, canvas.height);
  }
  const radius = data.train.classes.length > 600 ? 2 : 3.2;
  data.train.classes.forEach((each, i) => {
    const [x, y] = onCanvas(canvas, window, data.train.x[2 * i], data.train.x[2 * i + 1]);
    pen.fillStyle = rgb(classColour(each), 1);
    pen.strokeStyle = "rgba(255,255,255,.9)";
    pen.lineWidth = 1;
    pen.beginPath();
    // A shape of its own for every class, for whoever cannot tell the colours apart.
    if (each % 2) pen.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  });
}

function answers(moment: Moment, window: Window): ImageData {
  const image = new ImageData(GRID, GRID);
  const pass = new Pass(moment);
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const x = window.x[0] + ((column + 0.5) / GRID) * (window.x[1] - window.x[0]);
      const y = window.y[1] - ((row + 0.5) / GRID) * (window.y[1] - window.y[0]);
      const shares = probabilities(pass.forward(x, y));
      const all = shares.length === 1 ? [1 - shares[0], shares[0]] : Array.from(shares);
      const likeliest = all.indexOf(Math.max(...all));
      const certainty = (all[likeliest] - 1 / all.length) / (1 - 1 / all.length);
      const [r, g, b] = classColour(likeliest);
      image.data.set([r, g, b, 255 * (0.08 + 0.5 * certainty)], 4 * (row * GRID + column));
    }
  }
  return image;
}

function onCanvas(canvas: HTMLCanvasElement, { x, y }: Window, a: number, b: number): [number, number] {
  return [
    ((a - x[0]) / (x[1] - x[0])) * canvas.width,
    (1 - (b - y[0]) / (y[1] - y[0])) * canvas.height,
  ];
}

/** Return the point of the plane under a click. */
export function pointAt(canvas: HTMLCanvasElement, data: Data, event: MouseEvent): [number, number] {
  const box = canvas.getBoundingClientRect();
  const { x, y } = windowOf(data);
  const [across, down] = [
    (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height,
  ];
  const exact = [x[0] + across * (x[1] - x[0]), y[1] - down * (y[1] - y[0])];
  return [Math.round(exact[0] * 1000) / 1000, Math.round(exact[1] * 1000) / 1000];
}

const rgb = ([r, g, b]: readonly number[], opacity: number): string =>
  `rgba(${r},${g},${b},${opacity})`;
