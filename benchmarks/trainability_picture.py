"""Draw docs/pictures/trainability.png: ROC curves, and accuracy against the budget."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from sklearn.metrics import roc_curve
from trainability_tables import (
    FAILS_UNDER,
    OPTIMIZERS,
    PREDICTORS,
    area,
    fails,
    finite,
    rows_of,
)

from initlab.figures._style import (
    FAINT,
    INK,
    PAGE_WIDTH,
    colour_of,
    new_figure,
    style,
)

_DASHES = (
    "-", "--", ":", "-.", (0, (8, 2)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 3)),
)  # fmt: skip
# The two directions: filled and hollow, so that they differ in grey too.
_DIRECTIONS = {-1: ("v", colour_of(0), "shrinks"), 1: ("^", colour_of(1), "grows")}
_LARGEST = 100.0


def draw_picture(path: Path, picture: Path) -> None:
    rows = rows_of(path)
    with style():
        figure = new_figure(PAGE_WIDTH, 6.6)
        axes = figure.subplot_mosaic(
            [["roc", "gradient_descent"], ["names", "adam"]], width_ratios=(1, 1.2)
        )
        _draw_curves(axes["roc"], rows)
        axes["names"].axis("off")
        axes["names"].add_artist(
            axes["names"].legend(
                *axes["roc"].get_legend_handles_labels(), loc="upper left",
                title="area under the curve", alignment="left", handlelength=4.5,
            )
        )  # fmt: skip
        for name, label in OPTIMIZERS.items():
            _draw_networks(axes[name], rows, name, label)
        axes["gradient_descent"].tick_params(labelbottom=False)
        axes["adam"].set_xlabel("gradient budget before training")
        _explain(axes["names"])
        figure.savefig(picture, dpi=110)


def _draw_curves(ax: Axes, rows: pd.DataFrame) -> None:
    failed = fails(rows)
    ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    areas = {name: area(failed, rows[name]) for name in PREDICTORS}
    for place, name in enumerate(sorted(PREDICTORS, key=lambda n: -areas[n])):
        wrong, right, _ = roc_curve(failed, finite(rows[name]))
        label = PREDICTORS[name].replace("L abs(ln chi_1)", r"$L\,|\ln\,\chi_1|$")
        label = label.replace(", abs(ln)", r", $|\ln|$")
        label = label.replace("mean cosine, last hidden layer", "cosine, last layer")
        label = label.replace(" - ln 10", r" $-\ln 10$")
        ax.plot(
            wrong, right, color=colour_of(list(PREDICTORS).index(name)),
            linestyle=_DASHES[place], label=f"{areas[name]:.2f}  {label}",
        )  # fmt: skip
    ax.set_aspect("equal")
    ax.set(
        xlim=(0, 1), ylim=(0, 1), title=f"ROC curves, {len(rows)} networks",
        xlabel="flagged, of those that learn", ylabel="flagged, of those that fail",
    )  # fmt: skip


def _draw_networks(ax: Axes, rows: pd.DataFrame, name: str, label: str) -> None:
    budget = rows["gradient_budget"].clip(upper=_LARGEST)
    for sign, (marker, colour, _) in _DIRECTIONS.items():
        some = rows["budget_sign"] == sign
        ax.scatter(
            budget[some], rows[f"{name}_test"][some], marker=marker, s=16,
            facecolor=colour if sign < 0 else "none", edgecolor=colour,
            linewidth=0.8, alpha=0.7,
        )  # fmt: skip
    ax.axhline(FAILS_UNDER, color=INK, linewidth=0.8, linestyle="--")
    ax.axvline(12, color=INK, linewidth=0.8, linestyle=":")
    ax.set_xscale("symlog", linthresh=3, linscale=0.6)
    ax.set_xticks([0, 3, 6, 12, 24, 48, 96], [0, 3, 6, 12, 24, 48, 96])
    ax.set_xticks([], minor=True)
    ax.set(
        xlim=(-0.1, _LARGEST * 1.1),
        ylim=(-0.03, 1),
        ylabel="test accuracy",
        title=label,
    )
    ax.set_yticks(np.linspace(0, 1, 3))


def _explain(ax: Axes) -> None:
    marks = [
        Line2D(
            [], [], linestyle="none", marker=marker, markersize=5, color=colour,
            markerfacecolor=colour if sign < 0 else "none", label=label,
        )
        for sign, (marker, colour, label) in _DIRECTIONS.items()
    ]  # fmt: skip
    ax.legend(
        handles=marks, title="the gradient, going back", loc="lower left",
        alignment="left",
    )  # fmt: skip
