/** Initializers: the catalog's laws, drawn number by number as Python draws them. */

import { Mersenne } from "../random/mersenne";
import type { Source } from "../random/source";
import { stream } from "../random/stream";
import type { Init, Study } from "./study";

/** A weight `(fan_out, fan_in)`, row behind row, and its biases. */
export interface Layer {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

interface Entry {
  readonly parameters: Readonly<Record<string, number>>;
  readonly draw: (out: number, into: number, source: Source, p: Parameters) => Float64Array;
  /** Standard deviation of the entries. */
  readonly std: (out: number, into: number, p: Parameters) => number;
  readonly bias?: (out: number, into: number, source: Source) => Float64Array;
}

type Parameters = Readonly<Record<string, number>>;
type Std = Entry["std"];

const normals: (std: Std) => Pick<Entry, "draw" | "std"> = (std) => ({
  std,
  draw: (out, into, source, p) => {
    const size = std(out, into, p);
    return Float64Array.from({ length: out * into }, () => source.normal() * size);
  },
});

const uniforms: (std: Std) => Pick<Entry, "draw" | "std"> = (std) => ({
  std,
  draw: (out, into, source, p) => {
    const bound = Math.sqrt(3) * std(out, into, p);
    return between(-bound, bound, out * into, source);
  },
});

function between(low: number, high: number, count: number, source: Source): Float64Array {
  const width = high - low;
  return Float64Array.from({ length: count }, () => low + width * source.uniform());
}

const he: Std = (_, into) => Math.sqrt(2 / into);
const lecun: Std = (_, into) => Math.sqrt(1 / into);
const glorot: Std = (out, into) => Math.sqrt(1 / ((into + out) / 2));

export const CATALOG: Readonly<Record<string, Entry>> = {
  zeros: {
    parameters: {},
    std: () => 0,
    draw: (out, into) => new Float64Array(out * into),
  },
  constant: {
    parameters: { value: 0.5 },
    std: () => 0,
    draw: (out, into, _, p) => new Float64Array(out * into).fill(p.value),
  },
  normal: { parameters: { std: 0.01 }, ...normals((_, __, p) => p.std) },
  uniform: {
    parameters: { low: -0.05, high: 0.05 },
    std: (_, __, p) => (p.high - p.low) / Math.sqrt(12),
    draw: (out, into, source, p) => between(p.low, p.high, out * into, source),
  },
  lecun_normal: { parameters: {}, ...normals(lecun) },
  lecun_uniform: { parameters: {}, ...uniforms(lecun) },
  lesson_xavier: { parameters: {}, ...normals(lecun) },
  glorot_normal: { parameters: {}, ...normals(glorot) },
  glorot_uniform: { parameters: {}, ...uniforms(glorot) },
  he_normal: { parameters: {}, ...normals(he) },
  he_uniform: { parameters: {}, ...uniforms(he) },
  orthogonal: {
    parameters: { gain: 1 },
    std: (out, into, p) => p.gain / Math.sqrt(Math.max(out, into)),
    draw: (out, into, source, p) => {
      const gaussian = Float64Array.from({ length: out * into }, () => source.normal());
      return haar(gaussian, out, into).map((each) => p.gain * each);
    },
  },
  torch_default: {
    parameters: {},
    std: (_, into) => 1 / Math.sqrt(3 * into),
    draw: (out, into, source) => {
      const bound = 1 / Math.sqrt(into);
      return between(-bound, bound, out * into, source);
    },
    bias: (out, into, source) => {
      const bound = 1 / Math.sqrt(into);
      return between(-bound, bound, out, source);
    },
  },
};

/** Return the orthogonal matrix that a Gaussian one determines: Q of QR, signs moved. */
function haar(gaussian: Float64Array, rows: number, columns: number): Float64Array {
  const isWide = rows < columns;
  const [n, m] = isWide ? [columns, rows] : [rows, columns];
  // Columns of the tall matrix, orthonormalized twice (Gram and Schmidt, to rounding).
  const q = Array.from({ length: m }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) =>
      isWide ? gaussian[j * columns + i] : gaussian[i * columns + j],
    ),
  );
  for (let j = 0; j < m; j++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < j; k++) {
        const dot = q[j].reduce((sum, each, i) => sum + each * q[k][i], 0);
        for (let i = 0; i < n; i++) q[j][i] -= dot * q[k][i];
      }
    }
    const norm = Math.hypot(...q[j]);
    for (let i = 0; i < n; i++) q[j][i] /= norm;
  }
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return isWide ? q[row][column] : q[column][row];
  });
}

export function parametersOf(init: Init): Parameters {
  return { ...CATALOG[init.name].parameters, ...init.parameters };
}

/** Return the standard deviation of an init's entries in a layer. */
export function stdOf(init: Init, fanOut: number, fanIn: number): number {
  return CATALOG[init.name].std(fanOut, fanIn, parametersOf(init)) * Math.abs(init.scale);
}

/** Return one member's starting weights, layer by layer. */
export function drawn(study: Study, widths: readonly number[], init: Init, member: number): Layer[] {
  const legacy = study.seeding === "legacy" ? new Mersenne(study.seed + member) : null;
  const source = (tensor: string): Source =>
    legacy ?? stream(study.seed, "weights", member, tensor);
  const entry = CATALOG[init.name];
  const parameters = parametersOf(init);
  return widths.slice(1).map((fanOut, layer) => {
    const fanIn = widths[layer];
    const weight = entry
      .draw(fanOut, fanIn, source(`W${layer + 1}`), parameters)
      .map((each) => each * init.scale);
    const own = entry.bias?.(fanOut, fanIn, source(`b${layer + 1}`));
    const bias = (own ?? new Float64Array(fanOut)).map((each) => each + init.bias);
    return { weight, bias };
  });
}
