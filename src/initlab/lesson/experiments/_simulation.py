"""Derivation by simulation: one layer, from std(z) = sqrt(n) to He's factor 2."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from initlab import catalog
from initlab.figures import (
    INK,
    QUIET,
    colour_of,
    compact,
    log_ticks,
    marker_of,
    new_figure,
    style,
)
from initlab.lesson.experiments._experiment import (
    Answer,
    Experiment,
    Mean,
    Progress,
    dataset,
    mean,
)
from initlab.rng import stream

FAN_INS = tuple(2**power for power in range(1, 13))
UNITS, MEMBERS = 100, 100
NAMES = {
    "normal(std=1)": "std 1",
    "lecun_normal": "std sqrt(1/n)",
    "he_normal": "std sqrt(2/n)",
}
# E z^2 = n std^2 times the second moment of the inputs, 1; z is symmetric, so that
# ReLU keeps half of it.
_FACTORS = {"normal(std=1)": "n", "lecun_normal": "1", "he_normal": "2"}


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    shape = (len(NAMES), len(FAN_INS), MEMBERS)
    of_z, of_relu = np.empty((2, *shape))
    for n, fan_in in enumerate(FAN_INS):
        for member in range(MEMBERS):
            if progress is not None:
                progress(n * MEMBERS + member, len(FAN_INS) * MEMBERS)
            x = stream(seed, "inputs", member, fan_in).standard_normal(fan_in)
            for i, init in enumerate(NAMES):
                rng = stream(seed, "weights", member, f"W{fan_in}")
                z = catalog.draw(init, (UNITS, fan_in), rng=rng) @ x
                of_z[i, n, member] = np.mean(z**2)
                of_relu[i, n, member] = np.mean(np.maximum(z, 0) ** 2)
    fans = np.array(FAN_INS, dtype=np.float64)
    factors = np.stack([fans, np.ones_like(fans), 2 * np.ones_like(fans)])
    dims = ("init", "fan_in", "member")
    return dataset(
        "simulation",
        seed,
        {
            "preactivation_square": (dims, of_z, "1", "mean of z^2 over units"),
            "activation_square": (dims, of_relu, "1", "mean of relu(z)^2 over units"),
            "predicted_preactivation_square": (dims[:2], factors, "1", "E z^2"),
            "predicted_activation_square": (dims[:2], factors / 2, "1", "E relu(z)^2"),
        },
        {"init": list(NAMES), "fan_in": list(FAN_INS), "member": range(MEMBERS)},
    )


def root(square: Mean) -> Mean:
    """Return the root of a mean, with its standard error to first order."""
    value = np.sqrt(square.value)
    return Mean(value=float(value), error=float(square.error / (2 * value)))


def ratios(found: xr.Dataset, name: str, init: str) -> list[Mean]:
    """Return measured over formula, per fan_in."""
    values = found[name].sel(init=init).transpose("fan_in", "member").values
    expected = found[f"predicted_{name}"].sel(init=init).values
    return [mean(row / one) for row, one in zip(values, expected, strict=True)]


def _answer(found: xr.Dataset) -> Answer:
    first, last = FAN_INS[0], FAN_INS[-1]
    one, lecun, he = NAMES

    def measured(name: str, init: str, fan_in: int = last) -> Mean:
        return mean(found[name].sel(init=init, fan_in=fan_in).values)

    roots = {
        fan_in: root(measured("preactivation_square", one, fan_in))
        for fan_in in (first, last)
    }
    kept = root(measured("preactivation_square", lecun))
    halved, repaired = (measured("activation_square", init) for init in (lecun, he))
    every = {
        f"{name}, {init}": ratios(found, name, init)
        for name in ("preactivation_square", "activation_square")
        for init in NAMES
    }
    # Inits share their random numbers, so one of them is counted.
    own = [*every[f"preactivation_square, {one}"], *every[f"activation_square, {one}"]]
    inside = sum(ratio.interval[0] <= 1 <= ratio.interval[1] for ratio in own)
    return Answer(
        sentence=(
            f"One layer of n inputs, {MEMBERS} members of {UNITS} units, standard "
            "normal weights and inputs: z has root mean square "
            f"{roots[first]} for n = {first} (sqrt(n) = {first**0.5:.4g}) and "
            f"{roots[last]} for n = {last} (sqrt(n) = {last**0.5:.4g}). With weights "
            f"of std sqrt(1/n) it has {kept} for n = {last}, but relu(z) has second "
            f"moment {halved} (formula: 1/2). With std sqrt(2/n), He's factor 2, "
            f"relu(z) has {repaired} (formula: 1). Brackets: 95 % confidence; of the "
            f"{len(own)} intervals for std 1 (all n, z and relu(z)) {inside} contain "
            "their formula"
        ),
        numbers={
            "rms": {str(fan_in): each.as_numbers() for fan_in, each in roots.items()},
            "rms_lecun": kept.as_numbers(),
            "relu_square_lecun": halved.as_numbers(),
            "relu_square_he": repaired.as_numbers(),
            "intervals": len(own),
            "intervals_with_formula": inside,
        },
    )


def _draw(found: xr.Dataset) -> Figure:
    with style():
        figure = new_figure(9.5, 6.4)
        figure.suptitle(
            "One layer z = Wx of n standard normal inputs",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        grid = figure.subplots(2, 2, sharex=True, height_ratios=(1.9, 1), squeeze=False)
        _draw_column(grid[:, 0], found, "preactivation_square")
        _draw_column(grid[:, 1], found, "activation_square")
        grid[0, 0].set_ylabel("root mean square of z")
        grid[0, 1].set_ylabel("second moment of relu(z)")
        for ax in grid[1]:
            ax.set_xlabel("n, inputs of the layer (fan_in)")
            ax.set_ylabel("measured / formula")
        handles, names = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=4)
    return figure


def _draw_column(axes: np.ndarray, found: xr.Dataset, name: str) -> None:
    top, bottom = axes
    fans = found["fan_in"].values
    is_root = name == "preactivation_square"
    formulas = {
        "n": "sqrt(n)" if is_root else "n/2",
        "1": "1" if is_root else "1/2",
        "2": "sqrt(2)" if is_root else "1",
    }
    for i, init in enumerate(NAMES):
        expected = found[f"predicted_{name}"].sel(init=init).values
        line = np.sqrt(expected) if is_root else expected
        relative = ratios(found, name, init)
        relative = [root(one) for one in relative] if is_root else relative
        values = np.array([one.value for one in relative])
        reach = np.array([one.interval[1] - one.value for one in relative])
        label = "formula" if not i else None
        top.plot(fans, line, color=INK, lw=1, ls=(0, (4, 3)), label=label)
        look = {"color": colour_of(i), "marker": marker_of(i), "ms": 6, "ls": "none"}
        top.errorbar(fans, values * line, reach * line, label=NAMES[init], **look)
        top.annotate(
            formulas[_FACTORS[init]], (fans[-1], line[-1]), (7, 0),
            textcoords="offset points", va="center", fontsize=9,
        )  # fmt: skip
        if not i:
            bottom.errorbar(fans, values, reach, elinewidth=1.2, **look)
    bottom.axhline(1, color=INK, lw=1, ls=(0, (4, 3)))
    bottom.set_title(
        "std 1, 95 % intervals (others: same random numbers)", fontsize=9, color=QUIET,
        loc="left",
    )  # fmt: skip
    _set_axes(top, bottom)


def _set_axes(top: Axes, bottom: Axes) -> None:
    top.set(xscale="log", yscale="log")
    top.set_xlim(FAN_INS[0] / 1.4, FAN_INS[-1] * 3.2)
    bottom.xaxis.set_major_locator(FixedLocator(list(FAN_INS[::2])))
    bottom.xaxis.set_minor_locator(NullLocator())
    bottom.xaxis.set_major_formatter(FuncFormatter(compact))
    top.yaxis.set_major_locator(FixedLocator(log_ticks(*top.get_ylim())))
    top.yaxis.set_major_formatter(FuncFormatter(compact))
    top.yaxis.set_minor_locator(NullLocator())
    for ax in (top, bottom):
        ax.grid(visible=True)


SIMULATION = Experiment(
    name="simulation",
    question=(
        "How large are z = Wx and relu(z) in one layer of n inputs, and which std of "
        "the weights keeps them?"
    ),
    run=_run,
    answer=_answer,
    draw=_draw,
)
