/** What a person takes away: Python, TOML, data, pictures. */

import { label, recordEvery, recordedSteps, type Study } from "../lab/study";
import { s } from "../view/dom";
import type { Progress } from "./laboratory";

const widthsOf = (study: Study, outputs: number): string => [2, ...study.hidden, outputs].join(", ");

/** Return the Python that repeats the study. */
export function pythonOf({ study, setting }: Progress): string {
  const outputs = setting.network.widths.at(-1) as number;
  const batchNorm = setting.network.batchNorm ? ", batch_norm=True" : "";
  const problem =
    study.problem === "points"
      ? [
          `points = np.array(${JSON.stringify(study.points)})`,
          `problem = il.Problem.of_arrays(points[:, :2], points[:, 2].astype(int), test_fraction=0.0)`,
        ]
      : [
          `problem = il.Problem(name="${study.problem}", noise=${study.noise}, examples=${study.examples})`,
        ];
  return [
    ...(study.problem === "points" ? ["import numpy as np", ""] : []),
    "import initlab as il",
    "",
    ...problem,
    "study = il.Study(",
    `    network=il.MLP(widths=(${widthsOf(study, outputs)}), activation="${study.activation}"${batchNorm}),`,
    "    problem=problem,",
    `    inits=[${study.inits.map((each) => `"${label(each)}"`).join(", ")}],`,
    `    members=${study.members},`,
    `    optimizer="${study.optimizer}",`,
    `    learning_rate=${study.learningRate},`,
    `    steps=${study.steps},`,
    `    record_every=${recordEvery(study.steps)},`,
    `    seed=${study.seed},`,
    `    seeding="${study.seeding}",`,
    `    precision="float32",`,
    ")",
    "results = il.run(study)",
    "print(il.compare(results))",
    `il.report(results, "report.html")`,
    "",
  ].join("\n");
}

/** Return the study as TOML, as `initlab run` reads it. */
export function tomlOf({ study, setting }: Progress): string {
  const outputs = setting.network.widths.at(-1) as number;
  const inits = study.inits.map((each) => `"${label(each)}"`).join(", ");
  return [
    `inits = [${inits}]`,
    `members = ${study.members}`,
    `optimizer = "${study.optimizer}"`,
    `learning_rate = ${study.learningRate}`,
    `precision = "float32"`,
    `steps = ${study.steps}`,
    `record_every = ${recordEvery(study.steps)}`,
    `seed = ${study.seed}`,
    `seeding = "${study.seeding}"`,
    "",
    "[network]",
    `widths = [${widthsOf(study, outputs)}]`,
    `activation = "${study.activation}"`,
    `batch_norm = ${setting.network.batchNorm}`,
    "",
    "[problem]",
    ...(study.problem === "points"
      ? [`name = "${POINTS}"`, "test_fraction = 0.0"]
      : [`name = "${study.problem}"`, `noise = ${study.noise}`, `examples = ${study.examples}`]),
    "",
  ].join("\n");
}

/** The file beside study.toml that holds own points. */
export const POINTS = "points.csv";

/** Return own points as a file of that name. */
export const pointsAsCsv = ({ points }: Study): string =>
  ["x,y,class", ...points.map((point) => point.join(","))].join("\n") + "\n";

/** Return every network's losses and accuracies, a line each. */
export function csvOf({ study, histories }: Progress): string {
  const steps = recordedSteps(study.steps);
  const lines = ["init,member,step,loss,train_accuracy,test_accuracy"];
  study.inits.forEach((init, i) => {
    for (let member = 0; member < study.members; member++) {
      const history = histories.get(i * study.members + member);
      if (!history) continue;
      steps.forEach((step, r) => {
        const values = [history.loss[r], history.trainAccuracy[r], history.testAccuracy[r]];
        lines.push([`"${label(init)}"`, member, step, ...values.map(cell)].join(","));
      });
    }
  });
  return lines.join("\n") + "\n";
}

const cell = (value: number): string => (Number.isFinite(value) ? String(value) : "");

/** Return study and histories as JSON; what is not finite is null. */
export function jsonOf({ study, histories }: Progress): string {
  const networks = [...histories.values()]
    .sort((a, b) => a.number - b.number)
    .map((history) => ({
      init: label(study.inits[Math.floor(history.number / study.members)]),
      member: history.number % study.members,
      diverged_step: history.divergedStep,
      loss: Array.from(history.loss),
      train_accuracy: Array.from(history.trainAccuracy),
      test_accuracy: Array.from(history.testAccuracy),
    }));
  const steps = recordedSteps(study.steps);
  return JSON.stringify({ made_by: "initlab page", study, steps, networks }, null, 1) + "\n";
}

/** Hand a file to the person. */
export function save(name: string, content: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Return a copy of a picture with the page's colours written into it. */
function dressed(picture: SVGSVGElement): SVGSVGElement {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const originals = [picture, ...picture.querySelectorAll<SVGElement>("*")];
  const copies = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  copies.forEach((each, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of ["fill", "stroke", "stroke-width", "opacity", "font-size", "font-family", "font-weight", "text-anchor"]) {
      each.style.setProperty(name, style.getPropertyValue(name));
    }
  });
  return copy;
}

/** Return a picture as a file of its own. */
export function standalone(picture: SVGSVGElement): string {
  const copy = picture.isConnected ? dressed(picture) : picture;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const { width, height } = picture.viewBox.baseVal;
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  return new XMLSerializer().serializeToString(copy);
}

/** Return pixels as a picture, so that they too can be had as SVG. */
export function pictureOf(canvas: HTMLCanvasElement): SVGSVGElement {
  const { width, height } = canvas;
  return s(
    "svg", { viewBox: `0 0 ${width} ${height}` },
    s("image", { href: canvas.toDataURL("image/png"), width, height }),
  );
}

const [ACROSS, GAP] = [3, 12];

/** Return small pictures as one: the first over the whole width, the others below it, three a row. */
export function gathered([first, ...others]: readonly SVGSVGElement[]): SVGSVGElement {
  const { width, height } = first.viewBox.baseVal;
  const each = (width - (ACROSS - 1) * GAP) / ACROSS;
  const sheet = s("svg", {});
  let down = 0;
  const put = (picture: SVGSVGElement, x: number, wide: number): number => {
    const { width: w, height: h } = picture.viewBox.baseVal;
    const tall = (wide * h) / w;
    const copy = dressed(picture);
    for (const [name, value] of Object.entries({ x, y: down, width: wide, height: tall })) {
      copy.setAttribute(name, String(value));
    }
    sheet.append(copy);
    return tall;
  };
  put(first, 0, width);
  down = height + GAP;
  others.forEach((picture, i) => {
    const tall = put(picture, (i % ACROSS) * (each + GAP), each);
    if (i % ACROSS === ACROSS - 1 || i === others.length - 1) down += tall + GAP;
  });
  sheet.setAttribute("viewBox", `0 0 ${width} ${down}`);
  return sheet;
}

/** Return the picture as PNG, twice its size. */
export async function pngOf(picture: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(picture))}`;
  await image.decode();
  const { width, height } = picture.viewBox.baseVal;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.fillStyle = getComputedStyle(document.body).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture")))),
  );
}
