/** The engine's own kernels, compiled to WebAssembly; memory is handed out here. */

import { bytes } from "../random/ziggurat";
import wasm from "../../../src/initlab/engine/lanes.wasm";

type Kernel = (...given: number[]) => void;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly __heap_base: WebAssembly.Global;
  readonly train: Kernel;
  readonly measure: Kernel;
  readonly score: Kernel;
}

const ALIGNMENT = 64;
const PAGE = 65536;

/** An array in the kernels' memory; views die when the memory grows, so ask anew. */
export interface Room {
  readonly at: number;
  readonly count: number;
}

export class Kernels {
  readonly #exports: Exports;
  #top: number;

  private constructor(instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as Exports;
    this.#top = this.#bottom;
  }

  static async ready(): Promise<Kernels> {
    const { instance } = await WebAssembly.instantiate(bytes(wasm), {});
    return new Kernels(instance);
  }

  /** Numba's places for a result and an exception, which our kernels never use. */
  get unused(): number {
    return this.#exports.__heap_base.value as number;
  }

  get #bottom(): number {
    return this.unused + ALIGNMENT;
  }

  /** Take all rooms back. */
  clear(): void {
    this.#top = this.#bottom;
  }

  /** Return room for so many numbers of four bytes each, all 0. */
  room(count: number): Room {
    const at = Math.ceil(this.#top / ALIGNMENT) * ALIGNMENT;
    this.#top = at + 4 * Math.max(count, 1);
    const missing = this.#top - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#exports.memory.grow(Math.ceil(missing / PAGE));
    const room = { at, count };
    this.integers(room).fill(0);
    return room;
  }

  floats(room: Room): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, room.at, room.count);
  }

  integers(room: Room): Int32Array {
    return new Int32Array(this.#exports.memory.buffer, room.at, room.count);
  }

  train(...given: (Room | number)[]): void {
    this.#call("train", given);
  }

  measure(...given: (Room | number)[]): void {
    this.#call("measure", given);
  }

  score(...given: (Room | number)[]): void {
    this.#call("score", given);
  }

  #call(name: "train" | "measure" | "score", given: (Room | number)[]): void {
    const places = given.map((each) => (typeof each === "number" ? each : each.at));
    this.#exports[name](this.unused, this.unused, ...places);
  }
}
