"""Five layers of a hundred units: what each layer gives out, under four widths."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from initlab.figures import INK, QUIET, colour_of, compact, new_figure, style
from initlab.lesson.experiments._experiment import (
    MEMBERS,
    SPREAD,
    Answer,
    Experiment,
    Progress,
    numbers,
    signals,
    spread,
)
from initlab.spec import MLP, Init, SignalStudy

LAYERS, UNITS, EXAMPLES = 5, 100, 1000
ACTIVATIONS = ("sigmoid", "relu", "tanh")
NAMES = {
    "normal(std=1)": "std 1",
    "normal(std=0.01)": "std 0.01",
    "lecun_normal": "std sqrt(1/n)",
    "he_normal": "std sqrt(2/n)",
}
# In words of the sentence; each is a choice, and is said with its number.
SATURATED, VANISHED, EXPLODED, ALIKE = 0.1, 0.01, 100.0, 0.99
_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    # The last layer has no activation: one layer more, which is left out again.
    widths = (UNITS,) * (LAYERS + 1) + (1,)
    studies = {
        activation: SignalStudy(
            network=MLP(widths=widths, activation=activation),
            inits=tuple(Init.parse(init) for init in NAMES),
            examples=EXAMPLES,
            members=MEMBERS,
            seed=seed,
        )
        for activation in ACTIVATIONS
    }
    found = signals("histograms", "activation", studies, progress)
    return found.isel(layer=slice(0, LAYERS))


def _answer(found: xr.Dataset) -> Answer:
    told: dict[str, list[str]] = {"saturate": [], "vanish": [], "explode": []}
    told |= {"alike": [], "keep": []}
    said = {}
    for activation in ACTIVATIONS:
        for init, name in NAMES.items():
            one = found.sel(activation=activation, init=init)
            stds = one["activation_std"].transpose("member", "layer").values
            last = one.isel(layer=-1)
            share, ratio = last["saturated_share"].values, stds[:, -1] / stds[:, 0]
            cosine, who = last["centred_cosine"].values, f"{activation} with {name}"
            expected = one["predicted_activation_std"].values
            wide = float(expected[-1] / expected[0])
            flat = float(last["predicted_saturated_share"])
            middle = float(np.median(ratio))
            kind, text = "keep", f"{who} {spread(ratio)}, {wide:.2g}"
            # ReLU is flat on one side whatever the weights.
            if activation != "relu" and np.median(share) > SATURATED:
                kind, text = "saturate", f"{who} {spread(share)}, {flat:.2g}"
            elif middle < VANISHED:
                kind = "vanish"
            elif middle > EXPLODED:
                kind = "explode"
            elif np.median(cosine) > ALIKE:
                wide = float(last["predicted_centred_cosine"])
                kind, text = "alike", f"{who} {spread(cosine, '.5f')}, {wide:.5f}"
            told[kind].append(text)
            said[f"{activation}, {init}"] = {
                "kind": kind,
                "saturated_share": numbers(share) | {"wide": flat},
                "std_last_over_first": numbers(ratio)
                | {"wide": float(expected[-1] / expected[0])},
                "centred_cosine": numbers(cosine),
            }
    heads = {
        "saturate": f"more than {SATURATED:.0%} of layer {LAYERS} saturated, share",
        "vanish": f"vanishing (std of layer {LAYERS} under {VANISHED:g} of layer 1's), "
        "ratio",
        "explode": f"exploding (over {EXPLODED:g} times), ratio",
        "alike": "inputs no longer told apart (cosine of centred activations over "
        f"{ALIKE:g}), cosine",
        "keep": "none of these, std of the last layer over the first's",
    }
    listed = "; ".join(
        f"{head}: {', '.join(f'{text} in a wide network' for text in told[kind])}"
        for kind, head in heads.items()
        if told[kind]
    )
    return Answer(
        sentence=(
            f"{LAYERS} layers of {UNITS} units, {EXAMPLES} standard normal inputs, "
            f"{found.sizes['member']} members: {listed} ({SPREAD})"
        ),
        numbers=said,
    )


def _draw(found: xr.Dataset) -> Figure:
    with style():
        figure = new_figure(9.5, 12.8)
        figure.suptitle(
            "Activations of member 0, layer by layer, at initialization",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        blocks = figure.subfigures(len(ACTIVATIONS), 1, hspace=0.02, squeeze=False)
        for number, (activation, block) in enumerate(
            zip(ACTIVATIONS, blocks[:, 0], strict=True)
        ):
            grid = block.subplots(len(NAMES), LAYERS)
            scale = "same axis in every panel" if activation in _RANGES else (
                "each panel has its own axis"
            )  # fmt: skip
            block.suptitle(f"{activation} ({scale})", fontsize=10.5)
            for row, init in zip(grid, NAMES, strict=True):
                for layer, ax in enumerate(row):
                    one = found.sel(activation=activation, init=init)
                    _draw_panel(ax, one.isel(layer=layer), activation, number)
                row[0].set_ylabel(
                    NAMES[init], rotation=0, ha="right", va="center", labelpad=6
                )
            for layer, ax in enumerate(grid[0]):
                ax.set_title(f"layer {layer + 1}", fontsize=9.5)
            for ax in grid[:-1].flat if activation in _RANGES else ():
                ax.set_xticklabels([])
            for ax in grid[-1]:
                ax.set_xlabel("activation", fontsize=9)
        figure.supxlabel(
            "Heights: square root of the share of activations, tallest bin = 1. "
            "theory: std in a wide network",
            x=0.01, ha="left", fontsize=9, color=QUIET,
        )  # fmt: skip
    return figure


def _draw_panel(ax: Axes, panel: xr.Dataset, activation: str, number: int) -> None:
    density, edges = panel["activation_density"].values, panel["activation_edge"].values
    heights = np.sqrt(density / density.max())
    # The outline keeps a distribution visible that is narrower than a pixel.
    ax.stairs(heights, edges, fill=True, color=colour_of(number), alpha=0.55)
    ax.stairs(heights, edges, color=INK, lw=0.9)
    own = panel.isel(member=0)
    centre, std = float(own["activation_mean"]), float(own["activation_std"])
    expected = float(panel["predicted_activation_std"])
    ax.text(
        0.5, 0.99,
        f"mean {_short(centre)}, std {_short(std)}\ntheory {_short(expected)}",
        transform=ax.transAxes, ha="center", va="top", fontsize=7.5, color=INK,
        linespacing=1.1,
    )  # fmt: skip
    ax.set_ylim(0, 2.0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    low, high = _RANGES.get(activation, (0.0, float(edges[-1])))
    margin = 0.04 * (high - low)
    ax.set_xlim(low - margin, high + margin)
    ax.set_xticks([low, (low + high) / 2, high] if activation in _RANGES else [0, high])
    ax.tick_params(labelsize=8)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: _short(tick)))


def _short(number: float) -> str:
    return compact(float(f"{number:.2g}"))


HISTOGRAMS = Experiment(
    name="histograms",
    question=(
        "What do five layers of 100 units give out, for sigmoid, ReLU and tanh, when "
        "weights have std 1, 0.01, sqrt(1/n) or sqrt(2/n)?"
    ),
    run=_run,
    answer=_answer,
    draw=_draw,
)
