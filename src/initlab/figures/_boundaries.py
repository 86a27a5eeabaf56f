"""What each network says everywhere in the plane."""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import (
    BoundaryNorm,
    Colormap,
    LinearSegmentedColormap,
    ListedColormap,
    Normalize,
    to_rgb,
)
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from initlab.errors import InvalidValueError
from initlab.figures._labels import MINUS, init_names, output_name, plain
from initlab.figures._style import (
    INK,
    PAGE_WIDTH,
    colour_of,
    figure_of,
    new_figure,
    style,
)

PANELS_PER_ROW = 4
# Purple and orange: apart for every kind of colour vision, and no init's colours.
_CLASS_0, _CLASS_1 = "#542788", "#B35806"
_PROBABILITY = LinearSegmentedColormap.from_list(
    "initlab_probability", ["#8073AC", "#D8DAEB", "#F7F7F7", "#FEE0B6", "#E08214"]
)
# Vector points of more examples would make an SVG of megabytes.
_RASTERIZED = 1500


def decision_boundaries(
    results: xr.Dataset, *, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Draw member 0's trained prediction over the plane, one panel per init.

    Two classes: the probability of the second, with the line where it is one half.
    More: the likeliest class. Numbers: the predicted value.

    Args:
        results: Dataset with `grid_output`: data in the plane, one output or classes.
        axes: One per init; None: a new figure.

    Returns:
        The axes, one per init, in a flat array.

    Raises:
        InvalidValueError: If the results have no `grid_output`.

    Example:
        >>> from initlab.spec import Study
        >>> from initlab.study import run
        >>> results = run(Study(inits=["zeros", "he_normal"], steps=100))
        >>> decision_boundaries(results).shape
        (2,)
    """
    if "grid_output" not in results:
        raise InvalidValueError(
            "no grid_output; boundaries need data with two features and "
            "one number or class to predict",
            argument="results",
        )
    inits = results.sizes["init"]
    with style():
        own = axes is None
        panels = _new_panels(inits) if axes is None else np.array(list(axes))
        kind = _kind_of(results)
        for i, ax in enumerate(panels):
            image = _draw_panel(ax, results, i, kind)
            title = _panel_title(results, i, says_member=not own)
            ax.set_title(title, loc="left", fontsize=9.5)
        _label_axes(panels, results)
        _add_key(panels, image, kind)
        if own:
            heading = kind.heading
            if results.sizes["member"] > 1:
                heading += ", member 0"
            figure_of(panels[0]).suptitle(heading, x=0.01, ha="left", fontweight="bold")
    return panels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What the grid's numbers mean, and their colours.

    Attributes:
        heading: What the picture shows.
        classes: Names of the classes; empty for numbers.
        is_probability: Whether a number says how likely the second class is.
        number: What the number is called, before the name of the second class.
        colours: Of the background.
        norm: From numbers to colours.
        class_colours: Of the examples; empty for numbers.
    """

    heading: str
    classes: list[str]
    is_probability: bool
    number: str
    colours: Colormap
    norm: Normalize
    class_colours: list[Any]


def _kind_of(results: xr.Dataset) -> _Kind:
    classes = json.loads(results.attrs.get("classes", "[]"))
    is_probability = bool(classes) and int(results["units"].values[-1]) == 1
    class_colours = _class_colours(len(classes))
    colours: Colormap
    norm: Normalize
    if not classes:
        heading, colours = "Predicted value", colormaps["cividis"]
        norm = _shared_range(results["grid_output"].values)
    elif is_probability:
        heading, colours, norm = "Decision boundary", _PROBABILITY, Normalize(0, 1)
    else:
        heading = "Decision regions"
        colours = ListedColormap([_tint(colour) for colour in class_colours])
        norm = BoundaryNorm(np.arange(len(classes) + 1) - 0.5, len(classes))
    return _Kind(
        heading=heading,
        classes=classes,
        is_probability=is_probability,
        number="probability of" if output_name(results) == "logits" else "output for",
        colours=colours,
        norm=norm,
        class_colours=class_colours,
    )


def _class_colours(classes: int) -> list[Any]:
    if classes <= 2:
        return [_CLASS_0, _CLASS_1][:classes]
    # Up to here a qualitative map has colours that differ, beyond it none has.
    if classes <= 10:
        return [colormaps["tab10"](i) for i in range(classes)]
    return list(colormaps["turbo"](np.linspace(0, 1, classes)))


def _add_key(panels: np.ndarray, image: AxesImage, kind: _Kind) -> None:
    """Say what the colours mean, beside and below the panels."""
    figure = figure_of(panels[0])
    if kind.classes:
        dots = [
            Line2D([], [], ls="", marker="o", color=colour, mec="white", ms=7)
            for colour in kind.class_colours
        ]
        names = [plain(name, most=16) for name in kind.classes]
        figure.legend(
            dots,
            names,
            title="training examples",
            title_fontsize=9,
            loc="outside lower left",
            ncols=max(1, min(len(names), 80 // (max(map(len, names)) + 4))),
            alignment="left",
            handletextpad=0.1,
            columnspacing=1.2,
        )
    if kind.classes and not kind.is_probability:
        return
    bar = figure.colorbar(
        image,
        ax=list(panels),
        shrink=1 / math.ceil(len(panels) / PANELS_PER_ROW),
        aspect=28,
        anchor=(0, 1),
        pad=0.02,
        extend="neither" if kind.classes else "both",
    )
    if kind.classes:
        bar.set_ticks([0, 0.5, 1])
        bar.set_label(f"{kind.number} {plain(kind.classes[1], most=20)}")
    else:
        bar.set_label("prediction (target's unit)")


def _columns(inits: int) -> int:
    return math.ceil(inits / math.ceil(inits / PANELS_PER_ROW))


def _new_panels(inits: int) -> np.ndarray:
    columns = _columns(inits)
    rows = math.ceil(inits / columns)
    width = min(PAGE_WIDTH, 1.2 + 3.4 * columns)
    height = 1.1 + rows * (0.9 * (width - 1.2) / columns + 0.45)
    figure = new_figure(width, height)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()[:inits]
    for unused in grid.ravel()[inits:]:
        unused.remove()
    for lowest in panels[-columns:]:
        lowest.tick_params(labelbottom=True)
    return panels


def _draw_panel(ax: Axes, results: xr.Dataset, init: int, kind: _Kind) -> AxesImage:
    x, y = results["grid_x"].values, results["grid_y"].values
    values = results["grid_output"].values[init]
    diverged = bool(results["diverged_step"].values[init, 0] >= 0)
    if diverged:
        values = np.full_like(values, np.nan)
    image = ax.imshow(
        values,
        extent=(x[0], x[-1], y[0], y[-1]),
        origin="lower",
        aspect="auto",
        cmap=kind.colours,
        norm=kind.norm,
        interpolation="nearest",
    )
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    crosses_half = values.min() < 0.5 < values.max()
    if kind.is_probability and crosses_half:
        ax.contour(x, y, values, levels=[0.5], colors=[INK], linewidths=1.3)
    _draw_examples(ax, results, kind)
    if diverged:
        ax.text(
            0.5, 0.5, "no prediction", transform=ax.transAxes,
            ha="center", va="center", fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "#8a8a8a", "pad": 4},
        )  # fmt: skip
    ax.spines["top"].set(visible=True, color=colour_of(init), linewidth=3)
    return image


def _draw_examples(ax: Axes, results: xr.Dataset, kind: _Kind) -> None:
    if "train_x" not in results:
        return
    x, y = results["train_x"].values, results["train_y"].values
    shown: dict[str, Any] = (
        {"color": [kind.class_colours[int(label)] for label in y]}
        if kind.classes
        else {"c": y, "cmap": kind.colours, "norm": kind.norm}
    )
    ax.scatter(
        x[:, 0],
        x[:, 1],
        s=13,
        linewidths=0.5,
        edgecolors="white",
        rasterized=len(x) > _RASTERIZED,
        zorder=3,
        **shown,
    )


def _panel_title(results: xr.Dataset, init: int, *, says_member: bool) -> str:
    """Return the init's name, with how well member 0 does on unseen examples."""
    most = 24 if results.sizes["init"] > 3 else 32
    name = init_names(results, most=most)[init]
    if says_member and results.sizes["member"] > 1:
        name += ", member 0"
    diverged = int(results["diverged_step"].values[init, 0])
    if diverged >= 0:
        return f"{name}\ndiverged at step {diverged:,}"
    score = "test_accuracy" if "test_accuracy" in results else "test_r2"
    final = float(results[score].values[init, 0, -1])
    if not math.isfinite(final):
        score = score.replace("test", "train")
        final = float(results[score].values[init, 0, -1])
    which = "test" if score.startswith("test") else "training"
    if score.endswith("accuracy"):
        said = f"{which} accuracy {final:.0%}".replace("%", " %")
    else:
        said = f"{which} R² {round(final, 2) + 0.0:.2f}".replace("-", MINUS)
    return f"{name}\n{said}"


def _label_axes(panels: np.ndarray, results: xr.Dataset) -> None:
    names = json.loads(results.attrs.get("feature_names", "[]")) or ["x1", "x2"]
    columns = _columns(len(panels))
    for i, ax in enumerate(panels):
        if i % columns == 0:
            ax.set_ylabel(plain(names[1]))
        if i + columns >= len(panels):
            ax.set_xlabel(plain(names[0]))


def _shared_range(values: np.ndarray) -> Normalize:
    """Return a range that one network far off does not stretch for the others."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Normalize(0, 1)
    low, high = np.quantile(finite, (0.02, 0.98))
    return Normalize(low, high if high > low else low + 1)


def _tint(colour: Any) -> tuple[float, float, float]:
    """Return the colour mixed with white, for a background."""
    r, g, b = (0.62 + 0.38 * channel for channel in to_rgb(colour))
    return r, g, b
