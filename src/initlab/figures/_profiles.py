"""The signal on its way forward, and the gradient on its way back, at the start."""

from collections.abc import Iterable

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from initlab.figures._labels import (
    compact,
    init_names,
    log_ticks,
    output_name,
)
from initlab.figures._members import SPREAD_LABEL, Spread, spread_over_members
from initlab.figures._style import (
    FAINT,
    PAGE_WIDTH,
    QUIET,
    colour_of,
    figure_of,
    marker_of,
    new_figure,
    style,
)

_PANELS = {
    "activation_rms": ("Outputs", "root mean square"),
    "gradient_norm": ("Loss gradient of the weights", "Frobenius norm"),
}
# Smaller numbers stand with the zeros: a log scale below them would underflow.
_AS_ZERO = 1e-200
_LEAST_RANGE = 10.0
_EVERY_LAYER = 12


def layer_profiles(
    results: xr.Dataset, *, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Draw how large outputs and gradients are in each layer before the first update.

    A level line passes the signal on; a slope means that it vanishes or explodes with
    depth. Exact zeros stand at the bottom, where a log scale has no place for them.

    Args:
        results: Dataset with `activation_rms` and `gradient_norm`.
        axes: Two; None: a new figure.

    Returns:
        The axes: outputs, gradients.

    Example:
        >>> from initlab.spec import Study
        >>> from initlab.study import run
        >>> outputs, gradients = layer_profiles(run(Study(steps=100)))
        >>> gradients.get_xlabel()
        'layer (the last: logits)'
    """
    with style():
        own = axes is None
        if axes is None:
            figure = new_figure(PAGE_WIDTH, 4.3)
            panels = figure.subplots(1, 2)
        else:
            panels = np.array(list(axes))
        for ax, (name, (title, unit)) in zip(panels, _PANELS.items(), strict=True):
            _draw_panel(ax, results, name)
            ax.set_title(title, loc="left")
            ax.set_ylabel(unit)
        if own:
            _head(panels, results)
    return panels


def _draw_panel(ax: Axes, results: xr.Dataset, name: str) -> None:
    spread = spread_over_members(results[name].isel(step=0))
    layers = results["layer"].values
    floor = _set_scale(ax, spread)
    for i, label in enumerate(init_names(results, most=40)):
        if results.sizes["member"] > 1:
            ax.fill_between(
                layers,
                _shown(spread.low[i], floor),
                _shown(spread.high[i], floor),
                color=colour_of(i),
                alpha=0.16,
                lw=0,
            )
        ax.plot(
            layers,
            _shown(spread.middle[i], floor),
            color=colour_of(i),
            marker=marker_of(i),
            ms=6.5,
            mec="white",
            mew=0.7,
            lw=max(1.3, 2.4 - 0.25 * i),
            label=label,
            zorder=3 + 0.01 * i,
            clip_on=False,
        )
    ax.set_xlim(layers[0] - 0.3, layers[-1] + 0.3)
    ax.xaxis.set_major_locator(
        FixedLocator(layers.tolist())
        if len(layers) <= _EVERY_LAYER
        else MaxNLocator(10, integer=True)
    )
    ax.set_xlabel(f"layer (the last: {output_name(results)})")
    ax.grid(visible=True, axis="y")


def _shown(
    values: Float[np.ndarray, "layer"], floor: float
) -> Float[np.ndarray, "layer"]:
    """Return the values with zeros at the floor; what is not finite stays a gap."""
    return np.where(values < _AS_ZERO, floor, values)


def _set_scale(ax: Axes, spread: Spread) -> float:
    """Set a log scale and return the height at which zeros stand."""
    values = np.concatenate([spread.low, spread.middle, spread.high], axis=None)
    positive = values[np.isfinite(values) & (values >= _AS_ZERO)]
    low, high = (positive.min(), positive.max()) if positive.size else (0.1, 10.0)
    if high / low < _LEAST_RANGE:
        centre = np.sqrt(low) * np.sqrt(high)
        low, high = centre / _LEAST_RANGE**0.5, centre * _LEAST_RANGE**0.5
    decades = float(np.log10(high) - np.log10(low))
    has_zeros = bool((values < _AS_ZERO).any())
    floor = low / 10 ** (0.14 * decades)
    bottom = (floor if has_zeros else low) / 10 ** (0.05 * decades)
    ax.set_ylim(bottom, high * 10 ** (0.05 * decades))
    ax.set_yscale("log")
    ticks = log_ticks(low, high)
    ax.yaxis.set_major_locator(FixedLocator([*([floor] if has_zeros else []), *ticks]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda tick, _: "0" if tick == floor else compact(tick))
    )
    if has_zeros:
        ax.axhline(low / 10 ** (0.07 * decades), color=FAINT, lw=0.8, ls=(0, (1, 3)))
    return floor


def _head(panels: np.ndarray, results: xr.Dataset) -> None:
    members = results.sizes["member"]
    title = "Layer by layer before the first update"
    figure = figure_of(panels[0])
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    handles, names = panels[0].get_legend_handles_labels()
    if members > 1:
        handles.append(Patch(facecolor=QUIET, alpha=0.25))
        names.append(SPREAD_LABEL)
    longest = max(len(name) for name in names)
    figure.legend(
        handles,
        names,
        loc="outside lower left",
        ncols=max(1, min(len(names), 105 // (longest + 7))),
        columnspacing=1.6,
    )
