/** The tables of NumPy's ziggurat for normals. */

import data from "./tables.json";

/** Where the tail begins. */
export const TAIL = 3.6541528853610088;

export interface Tables {
  /** Below these, 52 bits are within the layer for sure. */
  readonly k: BigUint64Array;
  readonly w: Float64Array;
  readonly f: Float64Array;
}

let read: Tables | null = null;

export function tables(): Tables {
  read ??= {
    k: new BigUint64Array(bytes(data.k)),
    w: new Float64Array(bytes(data.w)),
    f: new Float64Array(bytes(data.f)),
  };
  return read;
}

/** Return what a base64 text holds. */
export function bytes(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}
