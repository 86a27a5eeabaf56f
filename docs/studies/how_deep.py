"""Runs the flagship study, and makes its picture and the tables of its page.

    python docs/studies/how_deep.py [--members 100] [--store docs/studies/how_deep.zarr]

The store is resumed if it is there, so that the page can be redone without training.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from matplotlib.patches import Rectangle

import initlab as il
from initlab import analysis, figures
from initlab.figures import style
from initlab.messages import statement_sentence

DOCS = Path(__file__).parents[1]
STUDY = Path(__file__).with_name("how_deep.toml")
PAGE = DOCS / "how-deep-until-he-wins.md"
PICTURE = DOCS / "pictures/how_deep.png"
# Over it, none of 196 networks learned by gradient descent: docs/trainability.md.
THRESHOLD = 12.0
HE, RIVAL = "he_normal", "normal(std=1)"


def study_of(members=None, depths=None, steps=None):
    """Return the study of the page, or a smaller one for tests."""
    study = il.from_toml(STUDY.read_text(encoding="utf-8"))
    smaller = {"members": members, "steps": steps}
    updates = {name: value for name, value in smaller.items() if value}
    if depths:
        updates["grid"] = {"network.depth": tuple(depths)}
    return study.model_copy(update=updates)


def budgets(study):
    """Return theory's gradient budget by depth and init: ln of squared gradients."""
    found = []
    for cell in study.cells():
        widths = (2, *cell.study.network.hidden, 1)
        signals = il.signal(
            il.SignalStudy(
                network=il.MLP(widths=widths, activation=study.network.activation),
                inits=study.inits, problem=study.problem, members=1,
            )
        )  # fmt: skip
        found.append(signals["gradient_budget"].values)
    return np.array(found)


def draw(results, theory):
    """Return the heat map, theory's budget under every number, a frame where it is
    over the threshold."""
    (ax,) = figures.loss_heatmaps(results)
    with style():
        for (depth, init), budget in np.ndenumerate(theory):
            number = ax.texts[init * len(theory) + depth]
            number.set_fontsize(9)
            ax.text(
                depth, init - 0.33, f"{budget + 1e-9:+.1f}", ha="center", va="center",
                fontsize=7, color=number.get_color(),
            )  # fmt: skip
            if abs(budget) > THRESHOLD:
                place = (depth - 0.46, init - 0.46)
                ax.add_patch(
                    Rectangle(place, 0.92, 0.92, fill=False, ec="#D55E00", lw=2)
                )
        ax.set_title(
            "Median final training loss; below, the gradient budget in nats "
            f"(framed: over {THRESHOLD:g})",
            loc="left",
        )
        ax.set_xlabel("depth (hidden layers)")
        figure = ax.figure
        figure.set_size_inches(9, 4.6)
    return figure


def table(results):
    """Return medians with their intervals as a table in Markdown."""
    found = analysis.cell_statistics(results).sel(estimate="median")
    inits = results["init"].values.tolist()
    lines = [f"| depth | {' | '.join(f'`{init}`' for init in inits)} |"]
    lines.append("|---|" + "---|" * len(inits))
    for depth in results["depth"].values.tolist():
        at = found.sel(depth=depth)
        cells = [
            _cell(at.final_loss.sel(init=init), at.final_loss_interval.sel(init=init))
            for init in inits
        ]
        lines.append(f"| {depth} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(median, interval):
    if not np.isfinite(median):
        return "diverged"
    low, high = interval.values
    return f"{float(median):.3g} [{low:.3g}, {high:.3g}]"


def sentences(results, study):
    """Yield what may be said of He and its rival at every depth."""
    for each in analysis.statements(results, learning_rate=study.learning_rate):
        if {each.first, each.second} == {HE, RIVAL}:
            yield statement_sentence(each.id, each.evidence, each.at)


def agreement(results, theory):
    """Return how many cells over and under the threshold did not learn at all."""
    final = np.median(results["loss"].isel(step=-1).fillna(np.inf), axis=-1)
    stuck = final > 0.98 * results["baseline_loss"].values[:, None]
    over = np.abs(theory) > THRESHOLD
    return (
        f"Of {over.sum()} cells with a budget over {THRESHOLD:g} nats, "
        f"{(stuck & over).sum()} end where a constant guess is (median within 2 % of "
        f"its loss, or above); of the other {(~over).sum()}, {(stuck & ~over).sum()}."
    )


def filled(page, **parts):
    """Return the page with each part between its marks."""
    for name, text in parts.items():
        marks = (f"<!-- {name} -->", f"<!-- /{name} -->")
        pattern = re.compile(f"{marks[0]}.*?{marks[1]}", re.DOTALL)
        made = f"{marks[0]}\n{text}\n{marks[1]}"
        page, count = pattern.subn(lambda _, made=made: made, page)
        assert count == 1, name
    return page


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store")
    chosen = parser.parse_args()
    study = study_of()
    with tempfile.TemporaryDirectory() as folder:
        results = il.run(study, store=chosen.store or f"{folder}/s.zarr", say=print)
        results = results.load()
    theory = budgets(study)
    figure = draw(results, theory)
    with style():
        figure.savefig(PICTURE, dpi=110, metadata={"Software": None})
    page = filled(
        PAGE.read_text(encoding="utf-8"),
        table=table(results),
        statements="\n".join(f"* {each}" for each in sentences(results, study)),
        agreement=agreement(results, theory),
        made=f"initlab {il.__version__}, engine {results.attrs['engine']}, "
        f"{time.strftime('%Y-%m-%d')}.",
    )
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
