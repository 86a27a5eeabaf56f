"""A checked model, weight by weight: what its signal and its gradients become."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from initlab.figures._labels import plain
from initlab.figures._log_scale import log_scale, positive
from initlab.figures._members import SPREAD_LABEL, spread_over_members
from initlab.figures._style import (
    PAGE_WIDTH,
    QUIET,
    colour_of,
    figure_of,
    marker_of,
    new_figure,
    style,
)

# Variable, title, label of the axis.
_PANELS = (
    ("preactivation_rms", "Forward: outputs of each weight", "root mean square"),
    ("delta_rms", "Back: gradients by these outputs", "root mean square"),
    ("cosine", "Two inputs", "mean cosine of outputs"),
)
# More weights than these are numbered, not named.
_MOST_NAMES = 26
_MARK: Any = {"color": "#D55E00", "alpha": 0.14, "lw": 0}


def checked_layers(
    checked: xr.Dataset,
    *,
    repaired: xr.Dataset | None = None,
    marked: Collection[str] = (),
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Draw the sizes of signal and gradient, and the cosine, at each weight in use.

    Args:
        checked: Of kind "check", as a diagnosis keeps it.
        repaired: The same model after a repair, drawn beside it.
        marked: Parameters that a finding names; their places are shaded.
        axes: Three; None: a new figure.

    Returns:
        The axes: outputs, gradients, cosines, over weights in the order of execution.

    Example:
        >>> layers = ("init", "member", "step", "layer")
        >>> checked = xr.Dataset(
        ...     {name: (layers, np.ones((1, 1, 1, 2))) for name, *_ in _PANELS}
        ...     | {"parameter": ("layer", ["0.weight", "2.weight"])},
        ...     coords={"layer": [1, 2]},
        ... )
        >>> checked_layers(checked, marked=["2.weight"])[0].get_ylabel()
        'root mean square'
    """
    sets = {"as built": checked} | ({} if repaired is None else {"repaired": repaired})
    with style():
        own = axes is None
        if axes is None:
            panels = new_figure(PAGE_WIDTH, 7.6).subplots(3, 1, sharex=True)
        else:
            panels = np.array(list(axes))
        for ax, (name, title, unit) in zip(panels, _PANELS, strict=True):
            for i, (label, each) in enumerate(sets.items()):
                _draw(ax, each, name, label, i)
            _shade(ax, checked, marked)
            ax.set_title(title, loc="left")
            ax.set_ylabel(unit)
            ax.grid(visible=True, axis="y")
            if name == "cosine":
                ax.set_ylim(min(-0.05, ax.get_ylim()[0]), 1.05)
            else:
                log_scale(ax)
        _name_weights(panels[-1], checked)
        if own:
            _explain(panels, checked, marked)
    return panels


def _draw(ax: Axes, checked: xr.Dataset, name: str, label: str, place: int) -> None:
    spread = spread_over_members(checked.isel(step=0)[name])
    shown = np.asarray if name == "cosine" else positive
    layers, colour = checked["layer"].values, colour_of(place)
    if checked.sizes["member"] > 1:
        ax.fill_between(
            layers, shown(spread.low[0]), shown(spread.high[0]), color=colour,
            alpha=0.18, lw=0,
        )  # fmt: skip
    ax.plot(
        layers, shown(spread.middle[0]), color=colour, marker=marker_of(place), ms=5,
        mec="white", mew=0.6, label=label, zorder=3 + place,
        ls="-" if place == 0 else (0, (5, 2)),
    )  # fmt: skip


def _shade(ax: Axes, checked: xr.Dataset, marked: Collection[str]) -> None:
    for layer, name in zip(
        checked["layer"].values, checked["parameter"].values, strict=True
    ):
        if str(name) in marked:
            ax.axvspan(layer - 0.5, layer + 0.5, **_MARK)


def _name_weights(ax: Axes, checked: xr.Dataset) -> None:
    layers = checked["layer"].values
    if layers.size:
        ax.set_xlim(layers[0] - 0.5, layers[-1] + 0.5)
    if layers.size > _MOST_NAMES:
        ax.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        ax.set_xlabel("weight, in the order of execution")
        return
    names = [plain(name, most=26) for name in checked["parameter"].values]
    ax.set_xticks(layers, names, rotation=38, ha="right", rotation_mode="anchor")


def _explain(panels: np.ndarray, checked: xr.Dataset, marked: Collection[str]) -> None:
    handles, names = panels[0].get_legend_handles_labels()
    if marked:
        handles.append(Patch(**_MARK))
        names.append("named by a finding")
    if checked.sizes["member"] > 1:
        handles.append(Patch(facecolor=QUIET, alpha=0.25))
        names.append(SPREAD_LABEL)
    handles.append(Line2D([], [], ls=""))
    names.append("a gap: exactly 0, or not finite")
    figure_of(panels[0]).legend(
        handles, names, loc="outside upper left", ncols=len(names), columnspacing=1.6
    )
