"""Histograms of what each layer gives out, before and after training."""

import textwrap
from collections.abc import Iterable

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from initlab.figures._labels import compact, output_name, plain
from initlab.figures._style import (
    INK,
    PAGE_WIDTH,
    QUIET,
    colour_of,
    figure_of,
    new_figure,
    style,
)

MOST_LAYERS = 6


def activation_histograms(
    results: xr.Dataset, *, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Draw the outputs of member 0's layers over the training examples.

    A row per init, a column per layer: outlined before training, filled after it, if
    it was trained. Of more than six layers the first, the last and evenly spaced ones
    are shown.

    Args:
        results: Dataset with `activation_density` and `activation_edge`.
        axes: As many as inits times shown layers, row by row; None: a new figure.

    Returns:
        The axes, `(init, shown layer)`.

    Example:
        >>> from initlab.spec import Study
        >>> from initlab.study import run
        >>> results = run(Study(inits=["zeros", "he_normal"], steps=100))
        >>> activation_histograms(results).shape
        (2, 3)
    """
    layers = _shown_layers(results.sizes["layer"])
    shape = (results.sizes["init"], len(layers))
    with style():
        own = axes is None
        grid = (
            _new_panels(*shape) if axes is None else np.array(list(axes)).reshape(shape)
        )
        for i, row in enumerate(grid):
            for ax, layer in zip(row, layers, strict=True):
                _draw_panel(
                    ax,
                    results.isel(init=i, layer=layer),
                    colour_of(i),
                    ticks=3 if len(layers) <= 4 else 2,
                )
            name = plain(results["init"].values[i], most=44)
            row[0].set_ylabel(
                _wrapped(name),
                rotation=0,
                ha="right",
                va="center",
                labelpad=8,
            )
        for ax, layer in zip(grid[0], layers, strict=True):
            ax.set_title(_layer_title(results, layer), fontsize=9.5)
        if own:
            _head(grid, results, layers)
    return grid


def _wrapped(name: str) -> str:
    """Return a name in lines that fit beside a row, parameters below the init."""
    if len(name) <= 16:
        return name
    head, bracket, rest = name.partition("(")
    lines = textwrap.wrap(head, 18) + textwrap.wrap(bracket + rest, 18)
    return "\n".join(lines)


def _shown_layers(layers: int) -> list[int]:
    """Return up to six indices of layers: first, last, evenly spaced between."""
    shown = np.linspace(0, layers - 1, min(layers, MOST_LAYERS))
    return [int(layer) for layer in shown.round()]


def _new_panels(inits: int, columns: int) -> np.ndarray:
    width = min(PAGE_WIDTH, max(6.5, 2.4 + 2.3 * columns))
    figure = new_figure(width, 1.25 + 1.2 * inits)
    return figure.subplots(inits, columns, squeeze=False)


def _draw_panel(ax: Axes, panel: xr.Dataset, colour: str, *, ticks: int) -> None:
    remarks, constants = {}, []
    for stage in panel["stage"].values.tolist():
        chosen = panel.sel(stage=stage)
        density = chosen["activation_density"].values
        edges = chosen["activation_edge"].values
        if not np.isfinite(edges).all():
            remarks[stage] = "not finite"
        elif np.count_nonzero(density) == 1:
            constants.append(_only_value(edges))
            _draw_bar(ax, constants[-1], stage, colour)
            remarks[stage] = f"all {compact(constants[-1])}"
        else:
            _draw_stairs(ax, density, edges, stage, colour)
    lines = [f"{stage}: {remark}" for stage, remark in remarks.items()]
    stages = panel.sizes["stage"]
    if len(remarks) == stages and len(set(remarks.values())) == 1:
        lines = [remarks["before"]]
    ax.text(
        0.98, 0.99, "\n".join(lines), transform=ax.transAxes,
        ha="right", va="top", fontsize=8.5, color=QUIET,
    )  # fmt: skip
    ax.set_ylim(0, 1.05 + 0.28 * len(lines))
    if len(constants) == len(remarks) and len(constants) == 2:
        _widen(ax, constants)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(ticks))
    ax.xaxis.set_major_formatter(FuncFormatter(compact))


def _widen(ax: Axes, constants: list[float]) -> None:
    """Show two constants in a range in which round-off is no difference."""
    low, high = min(constants), max(constants)
    if high - low < 1e-9 * max(1.0, abs(low), abs(high)):
        width = 0.05 * max(1.0, abs(high))
        ax.set_xlim(low - width, high + width)


def _only_value(edges: Float[np.ndarray, "edge"]) -> float:
    """Return the one value of a histogram with one bar: the middle of its range."""
    return float(edges[0] / 2 + edges[-1] / 2)


def _draw_stairs(
    ax: Axes,
    density: Float[np.ndarray, "bin"],
    edges: Float[np.ndarray, "edge"],
    stage: str,
    colour: str,
) -> None:
    """Draw a histogram, its tallest bin at 1: before and after differ in their bins.

    Heights are square roots: ReLU's zeros would press all other bins to the ground.
    """
    heights = np.sqrt(density / density.max())
    if stage == "after":
        ax.stairs(heights, edges, fill=True, color=colour, alpha=0.55, label=stage)
    else:
        ax.stairs(heights, edges, color=INK, lw=0.9, label=stage, zorder=3)


def _draw_bar(ax: Axes, value: float, stage: str, colour: str) -> None:
    if stage == "after":
        ax.plot([value, value], [0, 1], color=colour, alpha=0.55, lw=6, label=stage)
    else:
        ax.plot([value, value], [0, 1], color=INK, lw=1.2, label=stage, zorder=3)


def _layer_title(results: xr.Dataset, layer: int) -> str:
    units = int(results["units"].values[layer])
    number = int(results["layer"].values[layer])
    name = f"layer {number}"
    if layer == results.sizes["layer"] - 1:
        name = output_name(results)
    return f"{name}\n{units} unit{'s' if units > 1 else ''}"


def _head(grid: np.ndarray, results: xr.Dataset, layers: list[int]) -> None:
    figure = figure_of(grid[0, 0])
    is_trained = "after" in results["stage"].values
    title = f"Activations over the {'training examples' if is_trained else 'inputs'}"
    if results.sizes["member"] > 1:
        title += ", member 0"
    if len(layers) < results.sizes["layer"]:
        title += f" ({len(layers)} of {results.sizes['layer']} layers)"
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    figure.supxlabel("value of a unit's output", fontsize=10)
    keys = [
        Line2D([], [], color=INK, lw=1.2),
        Patch(facecolor=QUIET, alpha=0.55),
    ]
    if is_trained:
        figure.legend(
            keys,
            ["before training", "after training"],
            loc="outside upper right",
            ncols=2,
        )
