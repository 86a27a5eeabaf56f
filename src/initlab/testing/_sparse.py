"""Weights of which every column keeps the same number: what is zero, and what is not.

The law's kurtosis says how many: of a share p of normal entries it is 3 / p - 3.
"""

import math

import numpy as np
import scipy.stats

from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Array, Target, shape_of
from initlab.testing._moments import judged
from initlab.testing._report import Outcome, exactly

SHAPES: tuple[tuple[int, ...], ...] = (
    (120, 500),
    (37, 53),
    (500, 60),
    (48, 40, 5, 5),
)


def sparse(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge the zeros' number and places, and the distribution of the others."""
    kurtosis, std = law.kurtosis_at(target), law.std_at(target)
    if kurtosis is None or std is None:
        return []
    share, rows = 3 / (3 + kurtosis), shape_of(target)[0]
    kept = round(share * rows)
    drawn = sampler.draws(target, factor, *path)
    # One column per input and draw.
    columns = np.moveaxis(drawn, 0, -1).reshape(rows, -1)
    mask = columns != 0
    wrong = int(np.count_nonzero(mask.sum(axis=0) != kept))
    outcomes = [
        exactly(
            "zeros of inputs",
            wrong == 0,
            where=target,
            measured=wrong,
            detail=f"columns without exactly {rows - kept} zeros among {rows} units",
        )
    ]
    if wrong or not 0 < kept < rows:
        return outcomes
    others = Law(std=std / math.sqrt(share), distribution="normal")
    rest = columns[mask].reshape(1, -1)
    return [
        *outcomes,
        *judged(sampler, others, target, rest, rest.size),
        *_places(target, mask.astype(np.float64), share),
    ]


def _places(target: Target, mask: Array, share: float) -> list[Outcome]:
    """Whether every column's zeros are anywhere, and know nothing of the others'."""
    rows, columns = mask.shape
    centred = mask - share
    variance = share * (1 - share)
    # Rows of one sum share their freedom: one degree less.
    spread = float(np.sum(centred.sum(axis=1) ** 2)) / (columns * variance)
    spread *= (rows - 1) / rows
    of_rows = scipy.stats.chi2(rows - 1)
    # The mean squared product of two shuffled columns is norm^4 / (rows - 1).
    norms = rows * variance
    gram = centred.T @ centred if columns <= rows else centred @ centred.T
    pairs = columns * (columns - 1) / 2
    total = (float(np.sum(gram**2)) - columns * norms**2) / 2
    ratio = total / (pairs * norms**2 / (rows - 1))
    return [
        Outcome(
            name="zeros of units",
            where=target,
            measured=spread / (rows - 1),
            expected=1.0,
            p=2 * min(float(of_rows.cdf(spread)), float(of_rows.sf(spread)), 0.5),
            detail="variance of their numbers, times that of shuffled columns",
        ),
        Outcome(
            name="zeros' places",
            where=target,
            measured=ratio,
            expected=1.0,
            p=float(2 * scipy.stats.norm.sf(abs(ratio - 1) * math.sqrt(pairs / 2))),
            detail="squared products of two inputs' zeros, times that of shuffled ones",
        ),
    ]
