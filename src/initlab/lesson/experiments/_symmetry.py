"""Symmetry: units that start alike, and which of them training can tell apart."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from initlab import catalog
from initlab.figures import INK, QUIET, new_figure, style
from initlab.lesson.experiments._experiment import (
    Answer,
    Experiment,
    Progress,
    dataset,
)
from initlab.rng import stream
from initlab.spec import MLP, Study
from initlab.study import run

WIDTHS = (2, 10, 10, 10, 1)
HIDDEN, UNITS = len(WIDTHS) - 2, WIDTHS[1]
MEMBERS, STEPS, LEARNING_RATE, BIAS_STD = 5, 100, 0.1, 0.1
COPIED = "he_normal, units copied"
PLAIN = ("zeros", "ones", "constant(value=0.5)", "identity", "he_normal")
WITH_BIASES = ("zeros", "ones", "constant(value=0.5)", COPIED)
DRAWN = ", biases drawn"

Pairs = list[tuple[np.ndarray, np.ndarray]]


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    study = Study(
        # Without dead units, which would hide what symmetry does.
        network=MLP(widths=WIDTHS, activation="tanh"),
        inits=list(PLAIN),
        members=MEMBERS,
        learning_rate=LEARNING_RATE,
        steps=STEPS,
        record_every=STEPS,
        seed=seed,
        seeding="stream",
    )
    starts = {COPIED: _start(seed, COPIED, biases=False)} | {
        f"{init}{DRAWN}": _start(seed, init, biases=True) for init in WITH_BIASES
    }
    found = run(
        study, weights=starts, engine="reference", threads=1, progress=progress
    ).isel(layer=slice(0, HIDDEN))
    dims = ("init", "member", "step", "layer")
    return dataset(
        "symmetry",
        seed,
        {
            "distinct_units": (
                dims, found["distinct_units"].values, "units", "units that are no copy",
            ),
            "weight_distance": (
                dims, found["weight_distance"].values, "1",
                "Frobenius norm of the weight's change since step 0",
            ),
        },
        {name: found[name].values for name in dims},
        spec=found.attrs["spec"],
    )  # fmt: skip


def _start(seed: int, init: str, *, biases: bool) -> Pairs:
    """Return `(weight, bias)` per layer, each with a member axis."""
    members = [_member(seed, init, member, biases) for member in range(MEMBERS)]
    return [
        (np.stack([w for w, _ in layers]), np.stack([b for _, b in layers]))
        for layers in zip(*members, strict=True)
    ]


def _member(seed: int, init: str, member: int, biases: bool) -> Pairs:
    found = []
    last = len(WIDTHS) - 1
    for layer in range(1, last + 1):
        fan_in, fan_out = WIDTHS[layer - 1], WIDTHS[layer]
        rng = stream(seed, "weights", member, f"W{layer}")
        if init == COPIED:
            # Every hidden unit twice; outgoing weights halved, so that pairs give what
            # single units would.
            rows, columns = 1 + (layer < last), 1 + (layer > 1)
            shape = (fan_out // rows, fan_in // columns)
            drawn = catalog.draw("he_normal", shape, rng=rng) / columns
            weight = drawn.repeat(rows, axis=0).repeat(columns, axis=1)
        else:
            weight = catalog.draw(init, (fan_out, fan_in), rng=rng)
        of_bias = stream(seed, "weights", member, f"b{layer}")
        bias = BIAS_STD * of_bias.standard_normal(fan_out) * biases
        found.append((weight, bias))
    return found


def counts(found: xr.Dataset, init: str, step: int) -> list[str]:
    """Return how many units are distinct per hidden layer; a range over members."""
    values = found["distinct_units"].sel(init=init, step=step)
    low, high = values.min("member").values, values.max("member").values
    return [
        f"{a:.0f}" if a == b else f"{a:.0f} to {b:.0f}"
        for a, b in zip(low, high, strict=True)
    ]


def _answer(found: xr.Dataset) -> Answer:
    said: dict[str, Any] = {}
    texts = []
    for init in found["init"].values.tolist():
        before, after = (counts(found, init, step) for step in (0, STEPS))
        moved = found["weight_distance"].sel(init=init, step=STEPS).values > 0
        still = int((~moved).all(axis=0).sum())
        text = f"{init} {_joined(before)}"
        text += f" -> {_joined(after)}" if before != after else ""
        text += f" ({still} of {HIDDEN} layers' weights never moved)" if still else ""
        texts.append(text)
        said[init] = {"before": before, "after": after, "layers_never_moved": still}
    copies = [
        init
        for init in said
        if (found["distinct_units"].sel(init=init, step=STEPS) < UNITS).any()
    ]
    return Answer(
        sentence=(
            f"Distinct units in {HIDDEN} hidden layers of {UNITS} tanh units, the same "
            f"in all {found.sizes['member']} members unless a range is given, before "
            f"and (after ->, where it differs) {STEPS} steps on circles at learning "
            f"rate {LEARNING_RATE}: {'; '.join(texts)}. Units with equal incoming and "
            "outgoing weights and biases get equal gradients, so that no number of "
            "steps separates them; still copies here: "
            f"{', '.join(copies) if copies else 'none'}. Biases drawn with std "
            f"{BIAS_STD}"
        ),
        numbers=said,
    )


def _joined(layers: list[str]) -> str:
    return ", ".join(layers) if len(set(layers)) > 1 else f"{layers[0]} in each"


def _draw(found: xr.Dataset) -> Figure:
    inits = found["init"].values.tolist()
    with style():
        figure = new_figure(9.5, 1.7 + 0.42 * len(inits))
        figure.suptitle(
            f"How many of {UNITS} units per hidden layer are no copies of others?",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        panels = figure.subplots(1, 2, sharey=True)
        for ax, step in zip(panels, (0, STEPS), strict=True):
            least = found["distinct_units"].sel(step=step).min("member").values
            image = ax.imshow(
                least, cmap="Greys_r", vmin=-5, vmax=UNITS + 2, aspect="auto"
            )
            for i, init in enumerate(inits):
                for layer, text in enumerate(counts(found, init, step)):
                    dark = least[i, layer] < UNITS / 2
                    ax.text(
                        layer, i, text, ha="center", va="center", fontsize=11,
                        color="white" if dark else INK,
                    )  # fmt: skip
            ax.set_title(f"step {step:,}" + (" (the start)" if not step else ""))
            ax.set_xticks(range(HIDDEN), [str(layer + 1) for layer in range(HIDDEN)])
            ax.set_xlabel("hidden layer")
            ax.set_yticks(range(len(inits)), inits)
            ax.tick_params(length=0)
            ax.hlines(
                np.arange(len(inits) + 1) - 0.5, -0.5, HIDDEN - 0.5, "white", lw=2
            )
            ax.vlines(
                np.arange(HIDDEN + 1) - 0.5, -0.5, len(inits) - 0.5, "white", lw=2
            )
            ax.spines[:].set_visible(False)
        panels[0].set_ylabel("init")
        bar = figure.colorbar(
            image, ax=panels, shrink=0.8, ticks=[1, UNITS // 2, UNITS]
        )
        bar.ax.set_ylim(1, UNITS)
        bar.set_label("distinct units")
        figure.supxlabel(
            f"tanh, widths {WIDTHS}, gradient descent on circles, learning rate "
            f"{LEARNING_RATE}; least of {found.sizes['member']} members",
            x=0.01, ha="left", fontsize=9, color=QUIET,
        )  # fmt: skip
    return figure


SYMMETRY = Experiment(
    name="symmetry",
    question="Which starting weights leave units alike that training never separates?",
    run=_run,
    answer=_answer,
    draw=_draw,
)
