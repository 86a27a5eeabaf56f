"""What frameworks start with when nobody says otherwise, in deep plain networks."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from initlab.figures import INK, QUIET, colour_of, marker_of, new_figure, style
from initlab.lesson.experiments._experiment import (
    MEMBERS,
    SPREAD,
    Answer,
    Experiment,
    Progress,
    ends,
    numbers,
    signals,
    spread,
)
from initlab.spec import MLP, Init, SignalStudy

DEPTH, UNITS, EXAMPLES = 30, 100, 100  # layers with weights
ACTIVATIONS = ("relu", "tanh")
INITS = ("torch_default", "keras_default", "flax_default", "he_normal")


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    studies = {
        activation: SignalStudy(
            network=MLP(widths=(UNITS,) * (DEPTH + 1), activation=activation),
            inits=tuple(Init.parse(init) for init in INITS),
            examples=EXAMPLES,
            members=MEMBERS,
            seed=seed,
        )
        for activation in ACTIVATIONS
    }
    return signals("defaults", "activation", studies, progress)


def rates(found: xr.Dataset, activation: str, init: str) -> tuple[np.ndarray, float]:
    """Return each member's mean ln chi over the layers, and a wide network's."""
    one = found.sel(activation=activation, init=init).isel(layer=slice(0, DEPTH - 1))
    measured = np.log(one["chi"].transpose("member", "layer").values).mean(axis=1)
    return measured, float(np.log(one["predicted_chi"].values).mean())


def _answer(found: xr.Dataset) -> Answer:
    links = DEPTH - 1
    said: dict[str, Any] = {}
    parts = []
    for activation in ACTIVATIONS:
        texts = []
        for init in INITS:
            measured, wide = rates(found, activation, init)
            factor = np.exp(links * measured / 2)
            expected = float(np.exp(links * wide / 2))
            texts.append(
                f"{init} {spread(np.exp(measured), '.3f')} a layer, wide network "
                f"{np.exp(wide):.3f}; gradient norm over the depth times "
                f"{spread(factor, '.1e')}, wide {expected:.1e}"
            )
            said[f"{activation}, {init}"] = {
                "chi": numbers(np.exp(measured)) | {"wide": float(np.exp(wide))},
                "gradient_norm_factor": numbers(factor) | {"wide": expected},
            }
        parts.append(f"{activation}: {'. '.join(texts)}")
    return Answer(
        sentence=(
            f"{DEPTH} layers of {UNITS} units, {found.sizes['member']} members; factor "
            "of the squared gradient norm per layer backward (geometric mean). "
            f"{'. '.join(parts)} ({SPREAD})"
        ),
        numbers=said,
    )


def _draw(found: xr.Dataset) -> Figure:
    with style():
        figure = new_figure(9.5, 8.2)
        figure.suptitle(
            f"Framework defaults: {DEPTH} layers of {UNITS} units before training",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        grid = figure.subplots(2, len(ACTIVATIONS), sharex=True, sharey="row")
        for column, activation in enumerate(ACTIVATIONS):
            one = found.sel(activation=activation)
            _draw_panel(grid[0, column], one, *_forward(one))
            _draw_panel(grid[1, column], one, *_backward(one))
            grid[0, column].set_title(activation, loc="left")
            grid[1, column].set_xlabel("layer")
        grid[0, 0].set_ylabel("forward: activation rms")
        grid[1, 0].set_ylabel("backward: gradient norm, relative\nto the last layer's")
        handles, names = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=5)
        grid[1, 1].text(
            0.98, 0.04, f"bands: 5-95 % of {found.sizes['member']} members",
            transform=grid[1, 1].transAxes, ha="right", fontsize=9, color=QUIET,
        )  # fmt: skip
    return figure


def _forward(one: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    # The last layer has no activation.
    hidden = one.isel(layer=slice(0, DEPTH - 1))
    return hidden["activation_rms"], hidden["predicted_activation_rms"]


def _backward(one: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return norms of gradients by pre-activations; all layers are equally wide."""
    pair = one["delta_rms"], one["predicted_delta_rms"]
    measured, predicted = (values / values.isel(layer=-1) for values in pair)
    return measured, predicted


def _draw_panel(
    ax: Axes, one: xr.Dataset, measured: xr.DataArray, predicted: xr.DataArray
) -> None:
    layers = measured["layer"].values
    for i, init in enumerate(one["init"].values):
        values = measured.sel(init=init).transpose("member", "layer").values
        ax.fill_between(layers, *ends(values), color=colour_of(i), alpha=0.2, lw=0)
        ax.plot(
            layers, np.median(values, axis=0), color=colour_of(i), marker=marker_of(i),
            markevery=(i, 4), ms=6.5, mec="white", mew=0.7, label=str(init),
        )  # fmt: skip
        ax.plot(
            layers, predicted.sel(init=init), color=INK, lw=1, ls=(0, (4, 3)), zorder=4,
            label="wide network" if i == len(INITS) - 1 else None,
        )  # fmt: skip
    ax.set_yscale("log")
    ax.grid(visible=True)


DEFAULTS = Experiment(
    name="defaults",
    question=(
        "What do the frameworks' default weights do to signals and gradients of a "
        "deep plain network?"
    ),
    run=_run,
    answer=_answer,
    draw=_draw,
)
