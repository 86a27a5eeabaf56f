"""Units that are dead or copies, and matrices that lack rank."""

import math

import numpy as np

from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Array, Target, shape_of
from initlab.testing._report import Outcome, exactly

SHAPES: tuple[tuple[int, ...], ...] = (
    (96, 96),
    (40, 160),
    (160, 40),
    (37, 53),
    (53, 37),
    (1, 24),
    (24, 1),
    (200, 300),
    (12, 10, 3, 3),
    (20, 3, 5),
)
DRAWS = 4


def structure(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge zero and equal units, dead inputs and rank in several draws."""
    count = DRAWS * factor if law.random else 1
    shape = shape_of(target)
    exchangeable = law.independent or law.distribution == "orthogonal"
    outcomes = []
    full = min(shape[0], math.prod(shape[1:]))
    worst_rank, worst_zero, worst_copies, dead_inputs = math.inf, 0, 0, 0
    for weight in sampler.draws(target, count, *path):
        units = weight.reshape(shape[0], -1)
        dead_inputs = max(dead_inputs, int(np.count_nonzero(~units.any(axis=0))))
        if not exchangeable and units.any():
            # A kernel may be zero but for its centre: rank and copies are of the rest.
            units = units[:, units.any(axis=0)]
        full = min(full, *units.shape)
        worst_zero = max(worst_zero, int(np.count_nonzero(~units.any(axis=1))))
        worst_copies = max(
            worst_copies, copies(units, sampler.epsilon, exchangeable=exchangeable)
        )
        worst_rank = min(worst_rank, _rank(units, sampler.epsilon))
    if law.distinct_units:
        outcomes += [
            _none("zero units", worst_zero, target),
            _none("duplicate units", worst_copies, target),
        ]
    if exchangeable:
        outcomes.append(_none("zero inputs", dead_inputs, target))
    if law.full_rank:
        outcomes.append(
            exactly(
                "rank",
                worst_rank >= full,
                where=target,
                measured=worst_rank,
                expected=full,
            )
        )
    return outcomes


def copies(
    units: Array, epsilon: float = 2.0**-52, *, exchangeable: bool = True
) -> int:
    """How many rows equal an earlier one, up to scale.

    Rows of one or two weights have too few to tell a copy from a coincidence, and so
    have short rows of few bits.

    Args:
        units: One per row.
        epsilon: The spacing of the numbers around 1.
        exchangeable: Whether signs and the order of a row's weights do not matter
            either. Schemes that mirror units on purpose say that they do.

    Example:
        >>> copies(np.array([[1.0, 2.0, 4.0], [-8.0, 4.0, 2.0], [1.0, 2.0, 5.0]]))
        1
    """
    length = units.shape[1]
    # Coincidences: a row's chance is about epsilon^(length - 1), times all pairs.
    if len(units) < 2 or length < 3 or (length - 2) * -math.log2(epsilon) < 40:
        return 0
    largest = np.argmax(np.abs(units), axis=1)[:, None]
    peak = np.take_along_axis(units, largest, axis=1)
    if not exchangeable:
        peak = np.abs(peak)
    alike = units / np.where(peak != 0, peak, 1.0)
    if exchangeable:
        alike = np.sort(np.abs(alike), axis=1)
    keys = alike @ np.cos(np.arange(1, length + 1) ** 1.5)
    order = np.argsort(keys, kind="stable")
    apart = np.abs(np.diff(alike[order], axis=0)).max(axis=1)
    return int(np.count_nonzero(apart <= max(1e-9, epsilon)))


def _rank(units: Array, epsilon: float) -> int:
    values = np.linalg.svd(units, compute_uv=False)
    rounding = max(units.shape) * 2.0**-52
    if 2.0**-52 < epsilon < 1e-5:
        # What rounding to 32 bits leaves of a missing direction. In 16 bits it leaves
        # more than a random square matrix has in its smallest one.
        rounding = max(rounding, epsilon / 4 / math.sqrt(min(units.shape)))
    return int(np.count_nonzero(values > values[0] * rounding))


def _none(name: str, count: int, target: Target) -> Outcome:
    return exactly(
        name,
        count == 0,
        where=target,
        measured=count,
        detail=f"of {shape_of(target)[0]} units in the worst draw",
    )
