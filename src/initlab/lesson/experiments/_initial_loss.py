"""The loss before training against ln C, the loss of knowing nothing."""

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from initlab import catalog, theory
from initlab.figures import INK, QUIET, colour_of, compact, marker_of, new_figure, style
from initlab.lesson.experiments._experiment import (
    SPREAD,
    Answer,
    Experiment,
    Progress,
    dataset,
    numbers,
    spread,
)
from initlab.rng import stream
from initlab.spec import Init

CLASSES = (2, 10, 100)
INITS = ("zeros", "he_normal", "glorot_normal", "normal(std=1)")
HEADS = (1.0, 0.3, 0.1, 0.01)  # scales of the last layer
HIDDEN = (100, 100, 100)  # features and two ReLU layers
EXAMPLES, MEMBERS = 100, 20
CURVE, _DRAWS = np.geomspace(1e-5, 1e6, 34), 2000


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    shape = (len(CLASSES), len(INITS), len(HEADS), MEMBERS)
    losses, squares = np.empty((2, *shape))
    expected = np.empty(shape[:-1])
    x = stream(seed, "inputs").standard_normal((EXAMPLES, HIDDEN[0]))
    for c, classes in enumerate(CLASSES):
        for i, init in enumerate(INITS):
            if progress is not None:
                progress(c * len(INITS) + i, len(CLASSES) * len(INITS))
            wide = _logit_variance(init, classes, float(np.mean(x**2)))
            expected[c, i] = wide * np.square(HEADS)
            for member in range(MEMBERS):
                logits = _logits(init, classes, x, seed, member)
                for h, head in enumerate(HEADS):
                    losses[c, i, h, member] = loss(head * logits)
                    squares[c, i, h, member] = np.mean(np.square(head * logits))
    dims = ("classes", "init", "head", "member")
    return dataset(
        "initial_loss",
        seed,
        {
            "loss": (dims, losses, "nats", "softmax cross-entropy before training"),
            "logit_square": (dims, squares, "1", "mean square of the logits"),
            "predicted_logit_square": (
                dims[:-1], expected, "1", "wide network: mean square of the logits",
            ),
            "gaussian_excess": (
                ("classes", "logit_variance"), _gaussian(seed), "nats",
                "loss above ln C of independent normal logits, sampled",
            ),
        },
        {
            "classes": list(CLASSES), "init": list(INITS), "head": list(HEADS),
            "member": range(MEMBERS), "logit_variance": CURVE,
        },
    )  # fmt: skip


def _logits(
    init: str, classes: int, x: np.ndarray, seed: int, member: int
) -> np.ndarray:
    a = x
    for layer, (fan_in, fan_out) in enumerate(pairwise((*HIDDEN, classes)), start=1):
        rng = stream(seed, "weights", member, f"W{layer}")
        z = a @ catalog.draw(init, (fan_out, fan_in), rng=rng).T
        a = np.maximum(z, 0)
    return z


def loss(logits: np.ndarray) -> float:
    """Return the mean cross-entropy where every class is equally often right.

    Before training, labels and outputs have nothing to do with each other: each
    example counts once with every label, which leaves no luck of the labels.
    """
    largest = logits.max(axis=-1, keepdims=True)
    sums = np.log(np.exp(logits - largest).sum(axis=-1))
    return float(np.mean(sums + largest[:, 0] - logits.mean(axis=-1)))


def second_order(variance: Any, classes: int) -> Any:
    """Return the loss above ln C, to second order in logits of that variance."""
    return variance / 2 * (1 - 1 / classes)


def _logit_variance(init: str, classes: int, inputs: float) -> float:
    if init == "zeros":
        return 0.0
    parsed = Init.parse(init)
    entry = catalog.get(parsed.name)
    weights = [
        fan_in * entry.std((fan_out, fan_in), **parsed.parameters) ** 2
        for fan_in, fan_out in pairwise((*HIDDEN, classes))
    ]
    return float(
        theory.layer_variances(
            "relu", weight_variances=weights, input_second_moment=inputs
        )[-1]
    )


def _gaussian(seed: int) -> np.ndarray:
    """Return the loss above ln C `(classes, variance)` of independent normal logits."""
    rows = []
    for classes in CLASSES:
        drawn = stream(seed, "logits", classes).standard_normal((_DRAWS, classes))
        rows.append([loss(np.sqrt(q) * drawn) - np.log(classes) for q in CURVE])
    return np.array(rows)


def _answer(found: xr.Dataset) -> Answer:
    said: dict[str, Any] = {}
    parts = []
    for classes in CLASSES:
        floor = float(np.log(classes))
        texts = []
        for init in INITS[1:]:
            for head in (1.0, 0.1):
                one = found.sel(classes=classes, init=init, head=head)
                excess = one["loss"].values - floor
                q = float(one["predicted_logit_square"])
                small = float(second_order(q, classes))
                said[f"{classes}, {init}, head {head:g}"] = {
                    "excess": numbers(excess),
                    "logit_variance": numbers(one["logit_square"].values) | {"wide": q},
                    "second_order": small,
                }
                name = init if head == 1 else f"with the head x {head:g}"
                texts.append(f"{name} {spread(excess)}, {small:.2g}")
        zeros = found["loss"].sel(classes=classes, init="zeros").values
        said[f"{classes}, zeros"] = {"loss": float(zeros.max()), "floor": floor}
        parts.append(
            f"C = {classes} (ln C = {floor:.4f}; zeros {zeros.max():.4f}): "
            f"{'; '.join(texts)}"
        )
    return Answer(
        sentence=(
            "Cross-entropy above ln C before training (nats), and what small logits "
            "of a wide network's variance q would give, q/2 (1 - 1/C), which is too "
            f"much where q is not small; two ReLU layers of {HIDDEN[1]}, "
            f"{found.sizes['member']} members. {'. '.join(parts)} ({SPREAD}; zeros "
            "draw nothing)"
        ),
        numbers=said,
    )


def _draw(found: xr.Dataset) -> Figure:
    with style():
        figure = new_figure(10.5, 5.0)
        figure.suptitle(
            "How far above ln C does a classifier start, and why?",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        panels = figure.subplots(1, len(CLASSES), sharex=True, sharey=True)
        curve = found["logit_variance"].values
        for ax, classes in zip(panels, CLASSES, strict=True):
            one, floor = found.sel(classes=classes), float(np.log(classes))
            ax.plot(
                curve,
                one["gaussian_excess"],
                color=QUIET,
                lw=1.4,
                label="normal logits",
            )
            ax.plot(
                curve, second_order(curve, classes), color=INK, lw=1, ls=(0, (4, 3)),
                label="small logits: q/2 (1 - 1/C)",
            )  # fmt: skip
            for i, init in enumerate(INITS[1:], start=1):
                chosen = one.sel(init=init).transpose("head", "member", ...)
                for head, row in zip(HEADS, range(len(HEADS)), strict=True):
                    each = chosen.isel(head=row)
                    ax.plot(
                        each["logit_square"], each["loss"] - floor, ls="none",
                        color=colour_of(i), marker=marker_of(i), ms=5, mew=0.8,
                        mfc=colour_of(i) if head == 1 else "white", alpha=0.8,
                        label=init if head == 1 else None,
                    )  # fmt: skip
            ax.set_title(f"C = {classes}, ln C = {floor:.3f} nats", loc="left")
            ax.set_xlabel("variance q of the logits")
            ax.text(
                0.97, 0.04,
                f"zeros: loss {float(one['loss'].sel(init='zeros').max()):.3f}",
                transform=ax.transAxes, ha="right", fontsize=9, color=QUIET,
            )  # fmt: skip
            ax.set(xscale="log", yscale="log")
            ax.grid(visible=True)
        panels[0].set_ylabel("loss before training, above ln C (nats)")
        panels[0].set_ylim(3e-6, 3e3)
        panels[0].set_xlim(CURVE[0], CURVE[-1])
        form = FuncFormatter(compact)
        panels[0].yaxis.set_major_formatter(form)
        panels[0].xaxis.set_major_formatter(form)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=5)
        figure.text(
            0.99, 0.965,
            "filled: head as drawn; open: head x 0.3, 0.1, 0.01; one mark per member",
            ha="right", va="center", fontsize=9, color=QUIET,
        )  # fmt: skip
    return figure


INITIAL_LOSS = Experiment(
    name="initial_loss",
    question=(
        "How far above ln C does a classifier of C classes start, and which part of "
        "its weights decides it?"
    ),
    run=_run,
    answer=_answer,
    draw=_draw,
)
