"""From too small to too large: one scale on all weights, and what survives depth."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initlab import theory
from initlab.figures import INK, QUIET, colour_of, compact, marker_of, new_figure, style
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
from initlab.rng import stream
from initlab.spec import MLP, Init, Problem, SignalStudy

DEPTH, UNITS, EXAMPLES = 20, 100, 30  # hidden layers
# Log-spaced, with 1 in their middle.
SCALES = np.geomspace(0.05, 20.0, 13).round(6)
INITS = {"relu": "he_normal", "tanh": "lecun_normal"}
# Of 140 random plain networks, 95 % of those that failed to train and 11 % of those
# that trained were beyond (theory.gradient_budget).
LIMIT = 12.0
_TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    studies = {
        activation: SignalStudy(
            network=MLP(widths=(UNITS,) * (DEPTH + 2), activation=activation),
            inits=tuple(
                Init(name=init, scale=scale, label=f"{scale:g}") for scale in SCALES
            ),
            problem=_inputs(seed),
            members=MEMBERS,
            seed=seed,
        )
        for activation, init in INITS.items()
    }
    found = signals("scale_sweep", "activation", studies, progress)
    found = found.assign_coords(scale=("init", SCALES)).swap_dims(init="scale")
    budgets = np.apply_along_axis(
        _budget, -1, found["chi"].transpose(..., "layer").values
    )
    dims = tuple(dim for dim in found["chi"].dims if dim != "layer")
    about = "largest ln of squared gradients over a chain of layers, measured"
    return found.drop_vars("init").assign(
        measured_budget=(dims, budgets, {"units": "nats", "long_name": about})
    )


def _inputs(seed: int) -> Problem:
    """Return inputs that are half alike, so that layers can change how alike."""
    rng = stream(seed, "inputs")
    own, common = rng.standard_normal((EXAMPLES, UNITS)), rng.standard_normal(UNITS)
    x = (own + common) / np.sqrt(2)
    return Problem.of_arrays(x, np.arange(EXAMPLES) % 2, test_fraction=0)


def _budget(chi: np.ndarray) -> float:
    """Return the signed gradient budget of one network's layers."""
    budget = theory.gradient_budget(chi[:-1])
    return budget.sign * budget.largest


def windows(found: xr.Dataset, activation: str) -> np.ndarray:
    """Return each member's usable scales `(member, end)`: budgets within the limit.

    Interpolated between the scales tried; nan where an end is beyond them.
    """
    one = found["measured_budget"].sel(activation=activation)
    logs = np.log(found["scale"].values)
    rows = one.transpose("member", "scale").values
    return np.exp([[_crossing(row, logs, -1), _crossing(row, logs, 1)] for row in rows])


def _crossing(budgets: np.ndarray, logs: np.ndarray, side: int) -> float:
    """Return where the budget first leaves the limit, away from scale 1."""
    beyond = np.flatnonzero((side * budgets > LIMIT) & (side * logs > 0))
    if not len(beyond):
        return np.nan
    out = beyond[0] if side > 0 else beyond[-1]
    inner = out - side
    share = (side * LIMIT - budgets[inner]) / (budgets[out] - budgets[inner])
    return float(logs[inner] + share * (logs[out] - logs[inner]))


def quantities(found: xr.Dataset, activation: str) -> dict[str, tuple[Any, Any]]:
    """Return (measured `(member, scale)`, predicted `(scale)`) of each quantity."""
    one = found.sel(activation=activation).transpose("member", "scale", "layer", ...)
    hidden = one.isel(layer=slice(0, DEPTH))
    rms, wide = hidden["activation_rms"].values, hidden["predicted_activation_rms"]
    chi, wide_chi = hidden["chi"].values, hidden["predicted_chi"].values
    last = hidden.isel(layer=-1)
    return {
        "rms": (rms[..., -1] / rms[..., 0], (wide[:, -1] / wide[:, 0]).values),
        "gradient": (_norm_factor(chi), _norm_factor(wide_chi)),
        "budget": (one["measured_budget"].values, one["gradient_budget"].values),
        "cosine": (last["cosine"].values, last["predicted_cosine"].values),
    }


def _norm_factor(chi: np.ndarray) -> np.ndarray:
    return np.exp(np.log(chi).sum(axis=-1) / 2)


def _answer(found: xr.Dataset) -> Answer:
    said: dict[str, Any] = {}
    texts = []
    for activation, init in INITS.items():
        window = windows(found, activation)
        measured = quantities(found, activation)
        at_one = int(np.flatnonzero(found["scale"].values == 1)[0])
        of_gradient = measured["gradient"][0]
        low, high = found["scale"].values[[0, -1]]
        said[activation] = {
            "window": [numbers(end) for end in window.T],
            "gradient_factor": {
                f"{scale:g}": numbers(column)
                for scale, column in zip(
                    found["scale"].values, of_gradient.T, strict=True
                )
            },
            "cosine_at_1": numbers(measured["cosine"][0][:, at_one]),
        }
        texts.append(
            f"{activation} from {spread(window[:, 0], '.2f')} to "
            f"{spread(window[:, 1], '.2f')} times {init}; the gradient norm of the "
            f"first layer is {spread(of_gradient[:, at_one])} times the last one's at "
            f"scale 1, {spread(of_gradient[:, 0])} at {low:g} and "
            f"{spread(of_gradient[:, -1])} at {high:g}; the cosine between two inputs "
            f"in layer {DEPTH} is {spread(measured['cosine'][0][:, at_one])} at scale 1"
        )
    return Answer(
        sentence=(
            f"{DEPTH} hidden layers of {UNITS} units, {found.sizes['member']} members. "
            f"Scales with a gradient budget within {LIMIT:g} nats: "
            f"{'. '.join(texts)} ({SPREAD}). The limit is the one of "
            "theory.gradient_budget; nothing is trained here"
        ),
        numbers=said,
    )


_ROWS = {
    "rms": "activation rms,\nlast / first layer",
    "gradient": "gradient norm,\nfirst / last layer",
    "budget": "gradient budget\n(nats)",
    "cosine": "cosine of two inputs,\nlast hidden layer",
}


def _draw(found: xr.Dataset) -> Figure:
    with style():
        figure = new_figure(9.5, 10.2)
        figure.suptitle(
            f"From too small to too large: {DEPTH} hidden layers of {UNITS} units",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        grid = figure.subplots(len(_ROWS), len(INITS), sharex=True, sharey="row")
        for column, activation in enumerate(INITS):
            window = np.median(windows(found, activation), axis=0)
            for row, (name, pair) in enumerate(quantities(found, activation).items()):
                ax = grid[row, column]
                _draw_panel(ax, found["scale"].values, *pair, column=column)
                ax.axvspan(*window, color="#d9d9d9", lw=0, zorder=0)
                if name == "budget":
                    for side in (-LIMIT, LIMIT):
                        ax.axhline(side, color=QUIET, lw=1, ls=":")
                if name in ("rms", "gradient"):
                    ax.set_yscale("log")
            bounds = " to ".join(f"{end:.2f}" for end in window)
            grid[0, column].set_title(
                f"{activation}: within {LIMIT:g} nats from {bounds}", loc="left"
            )
            grid[-1, column].set_xlabel(
                f"scale of the weights, times {INITS[activation]}"
            )
        for ax, name in zip(grid[:, 0], _ROWS, strict=True):
            ax.set_ylabel(_ROWS[name])
        _set_axes(grid[0, 0])
        handles, names = grid[0, 0].get_legend_handles_labels()
        shade = grid[0, 0].patches[0]
        figure.legend(
            [*handles, shade], [*names, f"gradient budget within {LIMIT:g} nats"],
            loc="outside lower left", ncols=3,
        )  # fmt: skip
    return figure


def _draw_panel(
    ax: Axes, scales: np.ndarray, measured: Any, predicted: Any, *, column: int
) -> None:
    low, high = ends(measured)
    middle = np.median(measured, axis=0)
    ax.errorbar(
        scales, middle, (middle - low, high - middle), color=colour_of(column),
        marker=marker_of(column), ms=4.5, lw=0, elinewidth=1.4,
        label="measured, bars: 5-95 % of members" if not column else None,
    )  # fmt: skip
    ax.plot(scales, predicted, color=INK, lw=1, ls=(0, (4, 3)), label="wide network")
    ax.grid(visible=True)


def _set_axes(ax: Axes) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(_TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    form: Callable[[float, int | None], str] = compact
    ax.xaxis.set_major_formatter(FuncFormatter(form))


SCALE_SWEEP = Experiment(
    name="scale_sweep",
    question=(
        "How far may all weights be scaled down or up until signals or gradients of "
        "a deep network are lost?"
    ),
    run=_run,
    answer=_answer,
    draw=_draw,
)
