"""Numbers of finite precision: rounding undone, values that occur too often.

In 16 bits every value stands for an interval. A correct initializer's values fall
into it as often as its law says; one that saturates piles them up at the bound.
"""

import math
from typing import Any

import numpy as np
import scipy.stats

from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Array, Target
from initlab.testing._report import Outcome

# Generators of 32-bit numbers step by 2^-23 or more coarsely; of 64-bit ones, 2^-53.
GRID = {"float32": 2.0**-21, "float64": 2.0**-50}
# Of a million values in 32 bits up to 11 % coincide in a correct generator.
LEAST_DISTINCT = {"float32": 0.8, "float64": 0.9995}
SMALLEST = {"float16": 2.0**-24, "bfloat16": 2.0**-133}


def dithered(values: Array, sampler: Sampler) -> Array:
    """The values with their rounding to 16 bits undone, by chance.

    Each is replaced by a number drawn evenly from what rounds to it.
    """
    if sampler.precision not in SMALLEST:
        return values
    below, above = _gaps(values, sampler)
    position = sampler.stream("dither").random(values.shape)
    size = np.abs(values) + ((below + above) * position - below) / 2
    return np.copysign(1.0, values) * np.abs(size)


def atoms(
    sampler: Sampler, law: Law, target: Target, values: Array, spread: float
) -> list[Outcome]:
    """Judge how often zero and the two extreme values occur."""
    grid, _ = _resolution(values, sampler.precision)
    return [
        _atom(name, value, sampler, law, target, values, spread, grid)
        for name, value in (
            ("values that are zero", 0.0),
            ("values at the bound", float(values.max())),
            ("values at the bound", float(values.min())),
        )
    ]


def _atom(
    name: str,
    value: float,
    sampler: Sampler,
    law: Law,
    target: Target,
    values: Array,
    spread: float,
    grid: float,
) -> Outcome:
    """Compare a value's number with the law's share of what rounds to it."""
    density, mean = law.density, law.mean or 0.0
    std = law.std_at(target) or spread
    width = grid * std
    if sampler.precision in SMALLEST:
        below, above = (float(gap[0]) for gap in _gaps(np.array([value]), sampler))
        # Nothing lies beyond the edge: a bound that is a number of the type gets half
        # of what any other number gets.
        edge = density.edge * std if mean == 0 and value != 0 else math.inf
        inside = min(above / 2, max(edge - abs(value), 0.0))
        width = max(width, below / 2 + inside)
    at_most = max(
        float(density.pdf((value - mean) / std * shrink)) for shrink in (1.0, 0.98)
    )
    count = int(np.count_nonzero(values == value))
    expected = len(values) * at_most * width / std
    p = float(scipy.stats.poisson.sf(count - 1, expected)) if count > 1 else 1.0
    return Outcome(
        name=name,
        where=target,
        measured=float(count),
        expected=expected,
        p=p,
        detail=f"{value:.6g}, of {len(values)} values in {sampler.precision}",
    )


def distinct_values(
    sampler: Sampler, law: Law, target: Target, weight: Array
) -> list[Outcome]:
    """Judge how many of the weights' sizes differ."""
    sizes = np.sort(np.abs(weight), axis=None)
    count = 1 + int(np.count_nonzero(np.diff(sizes)))
    if sampler.precision in SMALLEST:
        expected, share = _expected_distinct(sampler, law, sizes), 0.5
    else:
        expected = float(sizes.size)
        _, share = _resolution(sizes, sampler.precision)
    return [
        Outcome(
            name="distinct values",
            where=target,
            measured=float(count),
            expected=expected,
            p=1.0 if count >= share * expected else 0.0,
            detail=f"at least {100 * share:g} % of it in {sampler.precision}",
        )
    ]


def _expected_distinct(sampler: Sampler, law: Law, sizes: Array) -> float:
    """Of as many independent draws from the law, rounded to the type."""
    spread = float(np.sqrt(np.mean(sizes**2)))
    again = np.sort(np.abs(sampler.stream("distinct").random(sizes.shape)))
    # The law's sizes at random quantiles, by the inverse of its distribution function.
    edge = min(law.density.edge, 8.0)
    knots = np.concatenate(
        [np.geomspace(1e-9, 0.01, 500), np.linspace(0.0101, edge, 4000)]
    )
    quantiles = 2 * law.density.cdf(knots) - 1
    drawn = np.interp(again, quantiles, knots) * spread
    below, above = _gaps(drawn, sampler)
    del below
    return float(len(np.unique(np.round(drawn / above) * above)))


def _gaps(values: Array, sampler: Sampler) -> tuple[Array, Array]:
    """The distances to the next smaller and the next larger size."""
    smallest = SMALLEST[sampler.precision]
    least = smallest / sampler.epsilon  # below it numbers are evenly spaced
    mantissa, exponent = np.frexp(np.maximum(np.abs(values), least))
    above: Any = np.ldexp(sampler.epsilon, exponent - 1)
    power_of_two = (mantissa == 0.5) & (np.abs(values) > least)
    return np.where(power_of_two, above / 2, above), above


def _resolution(values: Array, precision: str) -> tuple[float, float]:
    """The generator's step, and the share of values that must differ."""
    if precision not in GRID:
        return 0.0, 0.5
    short = precision == "float32" or np.array_equal(values, values.astype(np.float32))
    name = "float32" if short else "float64"
    return GRID[name], LEAST_DISTINCT[name]
