"""Signals at initialization, layer by layer: measured, beside what is expected."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from initlab.figures._labels import compact, init_names
from initlab.figures._log_scale import log_scale, positive
from initlab.figures._members import SPREAD_LABEL, spread_over_members
from initlab.figures._style import (
    INK,
    PAGE_WIDTH,
    QUIET,
    colour_of,
    figure_of,
    marker_of,
    new_figure,
    style,
)

# Variable, title, label of the axis; squares are drawn for what bands are about.
_PANELS = (
    ("activation_rms", "Forward: activations", "root mean square"),
    ("delta_rms", "Back: gradients by pre-activations", "root mean square"),
    ("cosine", "Two inputs", "mean cosine of activations"),
    ("budget", "Gradient budget", "sum of ln chi from the last layer, nats"),
)
_BANDS = {"activation_rms": "forward_band", "delta_rms": "backward_band"}
_BAND_LINE: Any = {"lw": 1, "ls": (0, (1, 2))}
_MARKED = 9


def signal_profiles(
    signals: xr.Dataset, *, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Draw what becomes of a signal, and of a gradient, in each layer.

    Lines with markers are medians over members, bands their spread; dashed lines what
    a wide network is expected to do. A level line passes the signal on.

    Args:
        signals: What `initlab.signal` returned.
        axes: Four; None: a new figure.

    Returns:
        The axes: activations, gradients, cosines, gradient budget.

    Example:
        >>> from initlab.spec import MLP
        >>> from initlab.study import signal
        >>> axes = signal_profiles(signal(MLP(widths=(30,) * 6), ["he_normal"]))
        >>> axes[2].get_ylabel()
        'mean cosine of activations'
    """
    with style():
        own = axes is None
        if axes is None:
            panels = new_figure(PAGE_WIDTH, 7.4).subplots(2, 2).flatten()
        else:
            panels = np.array(list(axes))
        for ax, (name, title, unit) in zip(panels, _PANELS, strict=True):
            _draw_panel(ax, signals.isel(step=0), name)
            ax.set_title(title, loc="left")
            ax.set_ylabel(unit)
            ax.set_xlabel("layer (the last: outputs)")
        if own:
            _head(panels, signals)
    return panels


def _draw_panel(ax: Axes, signals: xr.Dataset, name: str) -> None:
    layers = signals["layer"].values
    shown = positive if name in _BANDS else np.asarray
    measured, expected = _series(signals, name)
    spread = spread_over_members(measured)
    for i, label in enumerate(init_names(signals, most=40)):
        colour = colour_of(i)
        if signals.sizes["member"] > 1:
            ax.fill_between(
                layers, shown(spread.low[i]), shown(spread.high[i]), color=colour,
                alpha=0.18, lw=0,
            )  # fmt: skip
        ax.plot(
            layers, shown(spread.middle[i]), color=colour, marker=marker_of(i),
            ms=5.5, mec="white", mew=0.6, lw=1.8, label=label, zorder=3 + 0.01 * i,
            markevery=max(1, len(layers) // _MARKED),
        )  # fmt: skip
        ax.plot(
            layers, shown(expected[i]), color=INK, lw=1, ls=(0, (4, 2.5)),
            zorder=4,
        )  # fmt: skip
        if name in _BANDS:
            _draw_band(ax, signals, i, name, expected[i])
    ax.set_xlim(layers[0] - 0.3, layers[-1] + 0.3)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.grid(visible=True, axis="y")
    if name in _BANDS:
        log_scale(ax)
    elif name == "budget":
        ax.axhline(0, color=QUIET, lw=0.8)
        ax.yaxis.set_major_formatter(FuncFormatter(compact))
    else:
        ax.set_ylim(min(-0.05, ax.get_ylim()[0]), 1.05)


def _series(signals: xr.Dataset, name: str) -> tuple[xr.DataArray, np.ndarray]:
    """Return what was measured of every member, and what is expected."""
    if name != "budget":
        return signals[name], signals[f"predicted_{name}"].values
    chi = signals["chi"]
    return (
        chi.copy(data=_summed(chi.values)),
        _summed(signals["predicted_chi"].values),
    )


def _summed(chi: np.ndarray) -> np.ndarray:
    """Return ln chi, added up from the last layer down; 0 at the last."""
    logs = np.log(np.where(chi > 0, chi, np.nan))
    logs[..., -1] = 0
    return np.flip(np.cumsum(np.flip(logs, axis=-1), axis=-1), axis=-1)


def _draw_band(
    ax: Axes, signals: xr.Dataset, init: int, name: str, expected: np.ndarray
) -> None:
    factors = np.sqrt(signals[_BANDS[name]].values[init])
    for end in (0, 1):
        ax.plot(
            signals["layer"].values, positive(expected * factors[:, end]),
            color=QUIET, zorder=2, **_BAND_LINE,
        )  # fmt: skip


def _head(panels: np.ndarray, signals: xr.Dataset) -> None:
    figure = figure_of(panels[0])
    figure.suptitle(
        "Layer by layer before any training", x=0.01, ha="left", fontweight="bold"
    )
    handles, names = panels[0].get_legend_handles_labels()
    handles.append(Line2D([], [], color=INK, lw=1, ls=(0, (4, 2.5))))
    names.append("expected of a wide network")
    handles.append(Line2D([], [], color=QUIET, **_BAND_LINE))
    names.append("90 % of networks of these widths")
    if signals.sizes["member"] > 1:
        handles.append(Patch(facecolor=QUIET, alpha=0.25))
        names.append(SPREAD_LABEL)
    longest = max(len(name) for name in names)
    figure.legend(
        handles, names, loc="outside lower left",
        ncols=max(1, min(len(names), 105 // (longest + 7))), columnspacing=1.6,
    )  # fmt: skip
