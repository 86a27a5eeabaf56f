/** What the members' intervals allow to be said of the inits: `analysis/_statements.py`. */

import { filled, fixed } from "../causes/sentences";
import shared from "../shared.json";
import { compared, holm } from "./statistics";
import { label, type Study } from "./study";

/** Members, before a band or a share means something. */
export const FEWEST = 5;
const SIGNIFICANT = 0.05;

/** Return a sentence for every two inits; an order is said if it holds up among them all. */
export function statements(study: Study, losses: readonly (readonly number[])[]): string[] {
  const pairs = study.inits.flatMap((_, i) =>
    study.inits.slice(i + 1).map((__, j) => {
      const other = i + 1 + j;
      return { i, other, found: compared(losses[i], losses[other]) };
    }),
  );
  const adjusted = holm(pairs.map(({ found }) => found.pValue));
  return pairs.map(({ i, other, found }, n) => {
    const { below, decided, ties, interval } = found;
    const settled = adjusted[n] < SIGNIFICANT && (interval[0] > 0.5 || interval[1] < 0.5);
    const id = decided === 0 ? "all_alike" : settled ? "ends_below" : "no_order";
    return filled(shared.statements[id], {
      quantity: "training loss", where: ` at ${study.learningRate}`,
      first: label(study.inits[i]), second: label(study.inits[other]),
      share: `${percent(below / decided)} % [${percent(interval[0])}, ${percent(interval[1])}]`,
      members: `${decided} members${ties ? ` that differ (${ties} ties)` : ""}`,
    });
  });
}

const percent = (share: number): string => fixed(100 * share, 0);
