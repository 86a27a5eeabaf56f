/** Okabe and Ito (2008): told apart by the colour-blind, on light and on dark. */

const INITS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"];
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 2", "12 4"];
const CLASSES: readonly (readonly [number, number, number])[] = [
  [0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [230, 159, 0],
];

export const colourOf = (init: number): string => INITS[init % INITS.length];
export const dashOf = (init: number): string => DASHES[init % DASHES.length];
export const classColour = (index: number): readonly [number, number, number] =>
  CLASSES[index % CLASSES.length];

/** Return the colour of a signed number: blue below 0, vermilion above. */
export function signed(value: number, largest: number): string {
  const share = largest > 0 ? Math.min(1, Math.abs(value) / largest) : 0;
  const [r, g, b] = value < 0 ? CLASSES[0] : CLASSES[1];
  return `rgba(${r},${g},${b},${0.06 + 0.94 * share})`;
}
