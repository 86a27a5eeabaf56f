"""Products of random matrices: a linear network, and nothing else."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy import special

from initlab import catalog
from initlab.figures import QUIET, colour_of, marker_of, new_figure, style
from initlab.lesson.experiments._experiment import (
    SPREAD,
    Answer,
    Experiment,
    Progress,
    dataset,
    ends,
    numbers,
    spread,
)
from initlab.rng import stream

MATRICES, MEMBERS = 100, 30
WIDTHS = (4, 64)
INITS = ("normal(std=1)", "lecun_normal", "he_normal", "orthogonal")
NAMES = {
    "normal(std=1)": "std 1",
    "lecun_normal": "std sqrt(1/n)",
    "he_normal": "std sqrt(2/n)",
    "orthogonal": "orthogonal",
}


def _run(*, seed: int = 3, progress: Progress | None = None) -> xr.Dataset:
    shape = (len(WIDTHS), len(INITS), MEMBERS, MATRICES)
    norms, lengths = np.empty(shape), np.empty(shape)
    starts = list(np.ndindex(shape[:-1]))
    for done, (w, i, member) in enumerate(starts):
        if progress is not None:
            progress(done, len(starts))
        found = _products(WIDTHS[w], INITS[i], seed, member)
        norms[w, i, member], lengths[w, i, member] = found
    slope, scatter = _slopes()
    layers = np.arange(1, MATRICES + 1)
    per_layer = ("width", "init", "layer")
    return dataset(
        "product",
        seed,
        {
            "log10_norm": (
                ("width", "init", "member", "layer"), norms, "1",
                "log10 of the product's Frobenius norm, relative to the identity's",
            ),
            "log10_length": (
                ("width", "init", "member", "layer"), lengths, "1",
                "log10 of the length of a unit vector, sent through the product",
            ),
            "predicted_log10_length": (
                per_layer, slope[..., None] * layers, "1", "its mean over members",
            ),
            "predicted_log10_length_std": (
                per_layer, scatter[..., None] * np.sqrt(layers), "1",
                "its standard deviation over members",
            ),
        },
        {
            "width": list(WIDTHS), "init": list(INITS), "member": range(MEMBERS),
            "layer": layers,
        },
    )  # fmt: skip


def _products(
    width: int, init: str, seed: int, member: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return log10 of the norm and of a vector's length after 1, 2, ... matrices."""
    product, length = np.eye(width), np.empty((2, MATRICES))
    for layer in range(MATRICES):
        rng = stream(seed, "weights", member, f"W{layer + 1}")
        product = catalog.draw(init, (width, width), rng=rng) @ product
        # The product's first column is where it sends the first unit vector.
        length[0, layer] = np.linalg.norm(product) / np.sqrt(width)
        length[1, layer] = np.linalg.norm(product[:, 0])
    # Orthogonal matrices keep norms but for rounding, which is no result.
    found = np.log10(length).round(9) + 0.0
    return found[0], found[1]


def _slopes() -> tuple[np.ndarray, np.ndarray]:
    """Return mean and std `(width, init)` of what one matrix adds to log10 of a length.

    A Gaussian matrix sends a unit vector to independent normal numbers, whose sum of
    squares is chi-squared: the logarithms of all matrices are independent and alike.
    Norms of products grow by the same rate in the long run (Newman 1986,
    https://doi.org/10.1007/BF01464284).
    """
    slope, scatter = np.zeros((2, len(WIDTHS), len(INITS)))
    for w, width in enumerate(WIDTHS):
        for i, init in enumerate(INITS[:-1]):
            name = init.partition("(")[0]
            stated = {"std": 1.0} if name == "normal" else {}
            std = catalog.get(name).std((width, width), **stated)
            half = width / 2
            slope[w, i] = (np.log(2 * std**2) + special.digamma(half)) / 2
            scatter[w, i] = np.sqrt(special.polygamma(1, half)) / 2
    return slope / np.log(10), scatter / np.log(10)


def _answer(found: xr.Dataset) -> Answer:
    said, parts = {}, []
    for width in WIDTHS:
        one = found.sel(width=width).isel(layer=-1)
        texts = []
        for init in INITS:
            norms = one["log10_norm"].sel(init=init).values
            rate = float(
                found["predicted_log10_length"].sel(width=width, init=init, layer=1)
            )
            said[f"{width} x {width}, {init}"] = {
                "log10_norm": numbers(norms),
                "predicted_slope": rate,
            }
            texts.append(f"{NAMES[init]} {spread(norms, '.3g')}, {rate * MATRICES:.3g}")
        listed = "; ".join(f"{text} from the rate of one matrix" for text in texts)
        parts.append(f"{width} x {width}: {listed}")
    return Answer(
        sentence=(
            f"log10 of the norm of a product of {MATRICES} random matrices, relative "
            f"to the identity's, {found.sizes['member']} members. "
            f"{'. '.join(parts)} ({SPREAD})"
        ),
        numbers=said,
    )


def _draw(found: xr.Dataset) -> Figure:
    layers = found["layer"].values
    with style():
        figure = new_figure(9.5, 4.9)
        figure.suptitle(
            "How large is a product of L random n x n matrices?",
            x=0.01, ha="left", fontweight="bold",
        )  # fmt: skip
        panels = figure.subplots(1, len(WIDTHS), sharey=True)
        for ax, width in zip(panels, WIDTHS, strict=True):
            for i, init in enumerate(INITS):
                one = found.sel(width=width, init=init)
                values = one["log10_norm"].transpose("member", "layer").values
                colour, low_high = colour_of(i), ends(values)
                ax.fill_between(layers, *low_high, color=colour, alpha=0.2, lw=0)
                ax.plot(
                    layers, np.median(values, axis=0), color=colour,
                    marker=marker_of(i), markevery=(9 + 2 * i, 15), ms=6.5,
                    mec="white", mew=0.7, label=NAMES[init],
                )  # fmt: skip
                ax.plot(
                    layers, one["predicted_log10_length"], color="black", lw=1,
                    ls=(0, (4, 3)), zorder=4,
                    label="rate of one matrix (theory)" if not i else None,
                )  # fmt: skip
            ax.set_title(f"n = {width}", loc="left")
            ax.set_xlabel("L, matrices multiplied (layers)")
            ax.grid(visible=True)
        panels[0].set_ylabel("log10 of the norm, relative to the identity's")
        handles, names = panels[0].get_legend_handles_labels()
        order = [0, 2, 3, 4, 1]
        figure.legend(
            [handles[i] for i in order], [names[i] for i in order],
            loc="outside lower left", ncols=5,
        )  # fmt: skip
        panels[1].text(
            0.02, 0.98, f"bands: 5-95 % of {found.sizes['member']} members",
            transform=panels[1].transAxes, va="top", fontsize=9, color=QUIET,
        )  # fmt: skip
    return figure


PRODUCT = Experiment(
    name="product",
    question=(
        "How large is a product of L random matrices, which is what a linear network "
        "of L layers computes?"
    ),
    run=_run,
    answer=_answer,
    draw=_draw,
)
