"""The report's pictures: drawn, described, and turned into files."""

import hashlib
import io
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initlab import figures
from initlab.spec import from_toml

_DOTS_PER_INCH = 150
_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_NAMELESS = {"Date": None, "Creator": None, "Format": None, "Type": None}

_UNITS = {
    "binary_cross_entropy": "in nats per example",
    "softmax_cross_entropy": "in nats per example",
    "mean_squared_error": "as mean squared error, in the target's unit squared",
}

ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


PICTURES = (
    "loss_curves",
    "decision_boundaries",
    "activation_histograms",
    "layer_profiles",
)


def draw_pictures(results: xr.Dataset) -> dict[str, Figure]:
    """Return every picture that these results have, by name.

    Example:
        >>> from initlab.spec import Study
        >>> from initlab.study import run
        >>> list(draw_pictures(run(Study(problem="wine", steps=10))))
        ['loss_curves', 'activation_histograms', 'layer_profiles']
    """
    with figures.style(), quiet():
        axes = {"loss_curves": figures.loss_curves(results)}
        if "grid_output" in results:
            axes["decision_boundaries"] = figures.decision_boundaries(results).flat[0]
        if "activation_density" in results:
            histograms = figures.activation_histograms(results)
            axes["activation_histograms"] = histograms.flat[0]
        axes["layer_profiles"] = figures.layer_profiles(results).flat[0]
        return {name: laid_out(ax) for name, ax in axes.items()}


def captions(results: xr.Dataset) -> dict[str, tuple[str, str]]:
    """Return each picture's heading, and what is seen in it and how to read it."""
    return {
        "loss_curves": ("How the loss fell", _about_curves(results)),
        "decision_boundaries": ("What the networks say", _about_boundaries(results)),
        "activation_histograms": (
            "What each layer gives out",
            _about_histograms(results),
        ),
        "layer_profiles": (
            "Signal and gradient at the start",
            _about_profiles(results),
        ),
    }


def svg_of(figure: Figure) -> str:
    """Return the figure as an `<svg>` element to stand in a page.

    Its ids are unique to its contents, its text is text in the page's font, and the
    same figure gives the same bytes.
    """
    file = io.StringIO()
    with figures.style(), quiet():
        figure.savefig(file, format="svg", metadata=_NAMELESS)
    text = file.getvalue()
    prefix = f"s{hashlib.sha256(text.encode()).hexdigest()[:10]}-"
    root = ElementTree.fromstring(text)
    _keep_style_inside(root)
    _make_ids_unique(root, prefix)
    return ElementTree.tostring(root, encoding="unicode")


def png_of(figure: Figure) -> bytes:
    """Return the figure as a PNG file at 150 dots per inch, without a time stamp."""
    file = io.BytesIO()
    with figures.style(), quiet():
        figure.savefig(
            file, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None}
        )
    return file.getvalue()


def laid_out(ax: Axes) -> Figure:
    """Return the figure with its layout fixed.

    Matplotlib would lay it out again at each saving, starting from the last result.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


@contextmanager
def quiet() -> Iterator[None]:
    """A user's label may have characters that matplotlib's font cannot measure."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _keep_style_inside(root: ElementTree.Element) -> None:
    """Turn matplotlib's style sheet, whose rule is for `*`, into inherited style.

    A style sheet inside an inline SVG would apply to the whole page.
    """
    for defs in root.findall(f"{_SVG}defs"):
        for sheet in defs.findall(f"{_SVG}style"):
            defs.remove(sheet)
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")


def _make_ids_unique(root: ElementTree.Element, prefix: str) -> None:
    """Put the prefix before every id and reference; drop ids that nothing refers to."""
    elements = list(root.iter())
    used = set()
    for element in elements:
        for key, value in element.attrib.items():
            if key == _LINK and value.startswith("#"):
                used.add(value[1:])
                element.set(key, f"#{prefix}{value[1:]}")
            elif value.startswith("url(#"):
                used.add(value[5:-1])
                element.set(key, f"url(#{prefix}{value[5:-1]})")
    for element in elements:
        name = element.attrib.pop("id", None)
        if name in used:
            element.set("id", f"{prefix}{name}")


def _about_curves(results: xr.Dataset) -> str:
    loss = from_toml(results.attrs["spec"]).loss or "mean_squared_error"
    steps = results["step"].values
    every = int(steps[1] - steps[0])
    said = [
        f"Training loss before each recorded step's update, {_UNITS[loss]}, every "
        f"{every:,} steps of {int(steps[-1]):,}."
        if every > 1
        else f"Training loss before each step's update, {_UNITS[loss]}."
    ]
    members = results.sizes["member"]
    if members > 1:
        said.append(
            f"Lines are medians over {members} members; bands hold 90 % of the "
            "members, from the 5 % to the 95 % quantile, and say nothing of how well "
            "the median is known."
        )
    if (results["diverged_step"].values >= 0).any():
        said.append(
            "A cross marks the last record before a network diverged"
            + ("; it counts as infinite from there on." if members > 1 else ".")
        )
    losses = results["loss"]
    first = np.fmax(losses.isel(step=0).max(), results["baseline_loss"])
    if (losses > figures.CEILING * first).any():
        said.append(
            "A line that leaves at the top went beyond "
            f"{figures.CEILING:,.0f} times the largest first loss."
        )
    said.append(
        "Dashed: the best constant guess. A curve that stays there has learned "
        "nothing from the inputs."
    )
    return " ".join(said)


def _about_boundaries(results: xr.Dataset) -> str:
    classes = json.loads(results.attrs.get("classes", "[]"))
    whose = (
        "Member 0 of each init after training"
        if results.sizes["member"] > 1
        else "Each network after training"
    )
    dots = "Dots are the training examples in the colour of their class."
    if not classes:
        return (
            f"{whose}: the value it predicts at every point of the plane. All panels "
            "share one colour scale; its pointed ends hold whatever lies beyond."
        )
    if int(results["units"].values[-1]) == 1:
        squared = from_toml(results.attrs["spec"]).loss == "mean_squared_error"
        number = (
            f"its output, cut to 0 and 1, where 1 is class {classes[1]},"
            if squared
            else f"the probability it gives to class {classes[1]}"
        )
        return (
            f"{whose}: {number} at every point of the plane, and the line where it is "
            f"one half. {dots} A panel of one "
            "colour is a network that says the same everywhere."
        )
    return f"{whose}: the class it holds for the likeliest at every point. {dots}"


def _about_histograms(results: xr.Dataset) -> str:
    whose = "member 0 of each init" if results.sizes["member"] > 1 else "each network"
    return (
        f"The outputs of every unit of {whose} over the training examples, layer by "
        "layer: outlined before training, filled after it. Each histogram is scaled "
        "to its tallest bin, and heights are square roots, so that small shares stay "
        "visible: compare shapes and ranges, not areas. Scales differ between panels. "
        "One bar says that every output is the same."
    )


def _about_profiles(results: xr.Dataset) -> str:
    said = (
        "How large outputs and weight gradients are in each layer before the first "
        "update, on a log scale. A level line passes the signal on; a slope means "
        "that it vanishes or explodes with depth. Exact zeros stand at the bottom."
    )
    members = results.sizes["member"]
    if members > 1:
        said += f" Lines are medians over {members} members, bands 5-95 % of them."
    return said
