"""The phase diagram: ordered and chaotic networks, and where initializers stand."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from initlab.errors import InvalidValueError
from initlab.figures._labels import plain
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

_DASHES = (0, (3.5, 1.6))
# Pale, and of different lightness: told apart in grey and by the colour-blind.
_ORDERED, _CHAOTIC = "#eef4fb", "#f3c9a5"
_HATCH, _HATCH_COLOUR = "//", "#b98a63"
_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
# Where ln of chi_1 / weight variance steps by more between neighbours, q* jumps from
# one fixed point to another: contours do not cross that.
_JUMP = 0.15
# Points of one bold letter, and of a line.
_LETTER, _LINE = 7.0, 13.0
# Marks' distance to their names, and the halo that names have on any ground.
_GAP = 10
_HALO = withStroke(linewidth=3, foreground="white")
_TIMES = "\N{MULTIPLICATION SIGN}"


def phase_diagram(
    diagram: xr.Dataset,
    *,
    marks: Mapping[str, tuple[float, float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw where deep networks are ordered or chaotic, with initializers marked.

    Thin lines have equal chi_1, the factor of the squared gradient per layer; the thick
    one is critical, dashed where the variance that it needs does not attract. Hatched:
    the variance of the pre-activations grows without bound.

    Args:
        diagram: Dataset of `theory.phase_diagram`.
        marks: Weight and bias variance by the name to show, `(2.0, 0.0)` for He.
        ax: Where to draw; None: a new figure, `ax.figure` of what is returned.

    Raises:
        InvalidValueError: If a mark is outside of the diagram.

    Example:
        >>> from initlab.theory import phase_diagram as predict
        >>> ax = phase_diagram(predict("tanh"), marks={"he_normal": (2.0, 0.0)})
        >>> ax.get_xlabel()
        'weight variance (fan_in × variance of an entry)'
    """
    marks = dict(marks or {})
    weights = diagram["weight_variance"].values
    biases = diagram["bias_variance"].values
    _check(marks, weights, biases)
    with style():
        if ax is None:
            ax = new_figure(PAGE_WIDTH, 4.8).subplots()
        ax.set_xlim(weights[0], weights[-1])
        ax.set_ylim(biases[0], biases[-1])
        _draw_regions(ax, diagram)
        _draw_contours(ax, diagram)
        _draw_critical_line(ax, diagram)
        _explain(ax, diagram)
        _draw_marks(ax, marks)
    return ax


def _check(
    marks: Mapping[str, tuple[float, float]], weights: np.ndarray, biases: np.ndarray
) -> None:
    for name, (weight, bias) in marks.items():
        fits = weights[0] <= weight <= weights[-1] and biases[0] <= bias <= biases[-1]
        if not fits:
            raise InvalidValueError(
                f"give weight variances from {weights[0]:g} to {weights[-1]:g} "
                f"and bias variances from {biases[0]:g} to {biases[-1]:g}, got "
                f"({weight:g}, {bias:g}) for {name!r}",
                argument="marks",
            )


def _draw_regions(ax: Axes, diagram: xr.Dataset) -> None:
    x, y, chi = _grid(diagram, "chi_1")
    ax.contourf(
        x, y, chi, levels=[-1, 1, np.inf], colors=[_ORDERED, _CHAOTIC], zorder=0
    )
    unbounded = np.isinf(_grid(diagram, "q_star")[2]) * 1.0
    if unbounded.any():
        with mpl.rc_context({"hatch.color": _HATCH_COLOUR, "hatch.linewidth": 0.8}):
            ax.contourf(
                x, y, unbounded, levels=[0.5, 2], colors="none", hatches=[_HATCH],
                zorder=1,
            )  # fmt: skip


def _draw_contours(ax: Axes, diagram: xr.Dataset) -> None:
    x, y, chi = _grid(diagram, "chi_1")
    jumps = np.zeros(chi.shape, dtype=bool)
    logs = np.log(np.maximum(chi / x, 1e-12))
    wide = np.abs(np.diff(logs, axis=0)) > _JUMP
    jumps[1:] |= wide
    jumps[:-1] |= wide
    wide = np.abs(np.diff(logs, axis=1)) > _JUMP
    jumps[:, 1:] |= wide
    jumps[:, :-1] |= wide
    smooth = np.ma.masked_array(chi, jumps)
    present = [level for level in _LEVELS if smooth.min() < level < smooth.max()]
    if not present:
        return
    lines = ax.contour(
        x, y, smooth, levels=present, colors=QUIET, linewidths=0.7, zorder=2
    )
    labels = ax.clabel(lines, fmt="%g", fontsize=8, inline_spacing=3)
    for label in labels:
        label.set_path_effects([_HALO])


def _draw_critical_line(ax: Axes, diagram: xr.Dataset) -> None:
    x = diagram["critical_weight_variance"].values
    y = diagram["critical_bias_variance"].values
    left = _is_left(diagram)
    # Lines of one point, as ReLU's, are dots.
    marker = "o" if x.size and np.ptp(x) == np.ptp(y) == 0 else ""
    for chosen, dashes in ((~left, "-"), (left, _DASHES)):
        if chosen.any():
            ax.plot(
                np.where(chosen, x, np.nan), np.where(chosen, y, np.nan), color=INK,
                lw=2.2, ls=dashes, label="_critical", zorder=3, marker=marker,
            )  # fmt: skip


def _is_left(diagram: xr.Dataset) -> np.ndarray:
    """Return at which critical points the variance that they need does not attract."""
    return np.asarray(diagram["critical_chi_par"].values > 1 + 1e-6)


def _draw_marks(ax: Axes, marks: Mapping[str, tuple[float, float]]) -> None:
    """Mark places, each with the names that stand for it, clear of each other."""
    names: dict[tuple[float, float], list[str]] = {}
    for name, (weight, bias) in marks.items():
        # sqrt(2) squared is 2 as well.
        place = (round(weight, 9), round(bias, 9))
        names.setdefault(place, []).append(plain(name))
    for i, place in enumerate(names):
        ax.plot(
            *place, marker=marker_of(i), color=colour_of(i), ms=10, mec="white",
            mew=1.4, ls="", label="_mark", zorder=6, clip_on=False,
        )  # fmt: skip
    figure_of(ax).draw_without_rendering()
    points = 72 / figure_of(ax).dpi
    spots = [points * ax.transData.transform(place) for place in names]
    # Boxes that are taken, by the marks themselves first: left, right, bottom.
    taken = [(x - _GAP / 2, x + _GAP / 2, y - _LINE / 2) for x, y in spots]
    for (place, several), (x, y) in zip(names.items(), spots, strict=True):
        text = ", ".join(several)
        width = _LETTER * len(text)
        turned = x + _GAP + width > points * ax.get_window_extent().x1
        begin = x - _GAP - width if turned else x + _GAP
        height = y + 3
        while any(
            begin < end and other < begin + width and abs(height - bottom) < _LINE
            for other, end, bottom in taken
        ):
            height += _LINE / 4
        taken.append((begin, begin + width, height))
        ax.annotate(
            text, place, xytext=(-_GAP if turned else _GAP, height - y),
            textcoords="offset points", ha="right" if turned else "left", va="bottom",
            color=INK, fontsize=9.5, fontweight="bold", path_effects=[_HALO], zorder=7,
        )  # fmt: skip


def _explain(ax: Axes, diagram: xr.Dataset) -> None:
    keys: list[Patch | Line2D] = [
        Patch(facecolor=_ORDERED, edgecolor=QUIET, lw=0.6, label=(
            "ordered (χ₁ < 1):\ngradients shrink on the way back,\ninputs become alike"
        )),
        Patch(facecolor=_CHAOTIC, edgecolor=QUIET, lw=0.6, label=(
            "chaotic (χ₁ > 1):\ngradients grow on the way back"
        )),
    ]  # fmt: skip
    left = _is_left(diagram)
    if (~left).any():
        keys.append(Line2D([], [], color=INK, lw=2.2, label="critical (χ₁ = 1)"))
    if left.any():
        keys.append(
            Line2D(
                [], [], color=INK, lw=2.2, ls=_DASHES,
                label="critical, but the variance\nof pre-activations drifts off",
            )
        )  # fmt: skip
    keys.append(
        Line2D(
            [], [], color=QUIET, lw=0.7, label="equal χ₁: factor of the\n"
            "squared gradient per layer",
        )
    )  # fmt: skip
    if np.isinf(diagram["q_star"].values).any():
        keys.append(
            Patch(
                facecolor=_CHAOTIC, edgecolor=_HATCH_COLOUR, lw=0.6, hatch=2 * _HATCH,
                label="variance of pre-activations\ngrows without bound",
            )
        )  # fmt: skip
    ax.legend(
        handles=keys,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        labelspacing=0.9,
        borderaxespad=0,
    )
    ax.set_title(
        f"Phase diagram of deep wide {plain(diagram.attrs['activation'])} networks",
        loc="left",
        fontweight="bold",
    )
    ax.set_xlabel(f"weight variance (fan_in {_TIMES} variance of an entry)")
    ax.set_ylabel("bias variance")


def _grid(diagram: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = diagram[name].transpose("bias_variance", "weight_variance").values
    return diagram["weight_variance"].values, diagram["bias_variance"].values, values
