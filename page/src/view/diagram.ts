/** The network as units and links, coloured by weight or gradient. */

import { places, type Network } from "../lab/layout";
import { signed } from "./colours";
import { s } from "./dom";

const MOST_UNITS = 16; // of a layer that are drawn

/** Return the picture; `values` are in the parameters' places. */
export function diagram(network: Network, values: ArrayLike<number> | null, title: string): SVGSVGElement {
  const [width, height] = [300, 150];
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, class: "chart" });
  const { widths, layers } = network;
  const across = (layer: number): number => 14 + (layer * (width - 28)) / layers;
  const down = (layer: number, unit: number): number => {
    const shown = Math.min(widths[layer], MOST_UNITS);
    return height / 2 + (unit - (shown - 1) / 2) * Math.min(16, (height - 16) / Math.max(shown - 1, 1));
  };
  if (values) {
    places(network).forEach(({ weight, bias }, layer) => {
      let largest = 0;
      for (let k = weight; k < bias; k++) largest = Math.max(largest, Math.abs(values[k]));
      for (let j = 0; j < Math.min(widths[layer + 1], MOST_UNITS); j++) {
        for (let i = 0; i < Math.min(widths[layer], MOST_UNITS); i++) {
          const value = values[weight + j * widths[layer] + i];
          if (!Number.isFinite(value)) continue;
          picture.append(
            s("line", {
              x1: across(layer), y1: down(layer, i), x2: across(layer + 1), y2: down(layer + 1, j),
              stroke: signed(value, largest), "stroke-width": 1.1,
            }),
          );
        }
      }
    });
  }
  widths.forEach((units, layer) => {
    for (let unit = 0; unit < Math.min(units, MOST_UNITS); unit++) {
      picture.append(s("circle", { cx: across(layer), cy: down(layer, unit), r: 3.2, class: "unit" }));
    }
    if (units > MOST_UNITS) {
      picture.append(s("text", { x: across(layer), y: height - 2, class: "tick middle" }, `of ${units}`));
    }
  });
  return picture;
}
