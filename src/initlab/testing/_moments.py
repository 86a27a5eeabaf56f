"""Standard deviation, mean, kurtosis and distribution, at every shape.

Layouts that differ tell the fans apart: wide, tall, odd, single rows and columns,
kernels of one to three dimensions, and large ones.
"""

import math
from typing import Any

import numpy as np
import scipy.stats
from scipy.special import kolmogorov

from initlab.spec import LayerSpec
from initlab.testing._bits import atoms, distinct_values, dithered
from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Array, Target, shape_of
from initlab.testing._report import Outcome, exactly

SHAPES: tuple[tuple[int, ...], ...] = (
    (500, 40),
    (40, 500),
    (37, 53),
    (256, 256),
    (1, 701),
    (701, 1),
    (64, 32, 3, 3),
    (32, 64, 3, 3),
    (96, 1, 5, 5),
    (24, 10, 9),
    (12, 20, 3, 5),
    (8, 6, 3, 3, 3),
    (16, 8, 7, 7),
    (4000, 30),
    (30, 4000),
    (1025, 513),
)
MILLION = (1000, 1000)

# Where fans are not those of the shape.
LAYERS: tuple[LayerSpec, ...] = (
    LayerSpec(kind="conv", shape=(32, 8, 3, 3), transposed=True),
    LayerSpec(kind="conv", shape=(24, 10, 4), stride=(2,), transposed=True),
    LayerSpec(kind="conv", shape=(24, 10, 3, 3), stride=(2, 1)),
    LayerSpec(kind="conv", shape=(48, 5, 3, 3), groups=6),
    LayerSpec(kind="conv", shape=(96, 1, 3, 3), groups=96),
    LayerSpec(shape=(160, 30), packed=4),
    LayerSpec(kind="embedding", shape=(200, 30)),
)

STD_TOLERANCE = 0.01
# A repetition, which decides, has four times as many entries: so many that 1 % is at
# least six standard errors of a normal's, 6^2 / 2 e4 = 180,000.
ENTRIES = 45_000
MOST_DRAWS = 100
FEWEST_DRAWS = 16
TOO_EVEN = 0.15
# For the distribution function at a single shape; the million tells small differences.
SORTED = 20_000


def targets(*, layers: bool) -> tuple[Target, ...]:
    """What the moments are measured at."""
    if not layers:
        return SHAPES
    return tuple(
        LayerSpec(kind="conv" if len(shape) > 2 else "linear", shape=shape)
        for shape in SHAPES
    )


def moments(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge the entries of many draws at one target."""
    size = math.prod(shape_of(target))
    few = not law.random or (law.orthogonal and size > 10_000)
    count = 1 if few else min(MOST_DRAWS, math.ceil(ENTRIES / size))
    drawn = sampler.draws(target, count * (1 if few else factor), *path)
    return judged(sampler, law, target, drawn, SORTED * factor)


def million(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge a million entries of one weight."""
    drawn = sampler.draws(target, factor if law.independent else 1, *path)
    outcomes = judged(sampler, law, target, drawn, drawn.size)
    if law.independent:
        outcomes += distinct_values(sampler, law, target, drawn[0])
    return outcomes


def judged(
    sampler: Sampler, law: Law, target: Target, drawn: Array, most: int
) -> list[Outcome]:
    """Judge draws: `(draw, *shape)`, the distribution by the first `most` entries."""
    outcomes = []
    std = law.std_at(target)
    spread = float(drawn.std())
    if std is not None:
        outcomes.append(_std(law, target, drawn, std, spread, sampler.epsilon))
    if law.mean is not None and spread > 0:
        outcomes.append(_mean(law, target, drawn, law.mean, sampler.epsilon))
    if not law.independent and law.random and std:
        outcomes += _kurtosis_of_draws(law, target, drawn, std)
    if law.independent and spread > 0:
        scaled = (drawn.reshape(-1) - (law.mean or 0.0)) / spread
        outcomes.append(_kurtosis(law, target, scaled))
        exact = dithered(drawn.reshape(-1)[:most], sampler)
        exact = (exact - (law.mean or 0.0)) / spread
        outcomes.append(_distribution(law, target, np.sort(exact)))
        outcomes.append(_extremes(law, target, scaled, sampler.epsilon))
        outcomes += atoms(sampler, law, target, drawn.reshape(-1), spread)
    return outcomes


def _std(
    law: Law, target: Target, drawn: Array, std: float, spread: float, epsilon: float
) -> Outcome:
    name = "std"
    if not law.random or law.distribution in ("orthogonal", "delta_orthogonal"):
        # Exact for the root mean square; the sample's own mean takes a little.
        measured = spread if not law.random else math.sqrt(np.mean(drawn**2))
        holds = math.isclose(measured, std, rel_tol=max(1e-6, 2 * epsilon))
        return exactly(
            name,
            holds or abs(measured - std) < 1e-12,
            where=target,
            measured=measured,
            expected=std,
        )
    error = _relative_error(law, drawn)
    deviation = spread / std - 1 if std else math.inf * spread
    z = abs(deviation) / max(error, 1e-12)
    p = 1.0 if abs(deviation) <= STD_TOLERANCE else float(2 * scipy.stats.norm.sf(z))
    return Outcome(
        name=name,
        where=target,
        measured=spread,
        expected=std,
        p=p,
        detail=f"{100 * deviation:+.2f} %, tolerance {100 * STD_TOLERANCE:g} %",
    )


def _relative_error(law: Law, drawn: Array) -> float:
    """Relative standard error of the sample's standard deviation."""
    if law.independent:
        kurtosis = law.density.excess_kurtosis
        return math.sqrt((kurtosis + 2) / (4 * drawn.size))
    squares = np.mean(drawn.reshape(len(drawn), -1) ** 2, axis=1)
    if len(drawn) < 3 or squares.mean() == 0:
        return 1.5 / math.sqrt(drawn.size)
    return float(squares.std() / squares.mean() / 2 / math.sqrt(len(drawn)))


def _mean(
    law: Law, target: Target, drawn: Array, mean: float, epsilon: float
) -> Outcome:
    measured = float(drawn.mean())
    if law.independent:
        error = float(drawn.std()) / math.sqrt(drawn.size)
    else:
        means = drawn.reshape(len(drawn), -1).mean(axis=1)
        rough = float(drawn.std()) / math.sqrt(drawn.size)
        error = max(rough, float(means.std()) / math.sqrt(len(drawn)))
    # A mean stated in decimals is rounded as every entry is.
    slack = abs(mean) * epsilon
    z = max(abs(measured - mean) - slack, 0.0) / error
    return Outcome(
        name="mean",
        where=target,
        measured=measured,
        expected=mean,
        p=float(2 * scipy.stats.norm.sf(z)),
    )


def _kurtosis(law: Law, target: Target, scaled: Array) -> Outcome:
    measured = float(np.mean(np.square(np.square(scaled)))) - 3
    stated = law.kurtosis_at(target)
    expected = law.density.excess_kurtosis if stated is None else stated
    error = math.sqrt(law.density.kurtosis_variance / scaled.size)
    # Beyond its standard error: the next term of a sample kurtosis's bias.
    z = max(abs(measured - expected) - 20 / scaled.size, 0.0) / error
    return Outcome(
        name="kurtosis",
        where=target,
        measured=measured,
        expected=expected,
        p=float(2 * scipy.stats.norm.sf(z)),
    )


def _kurtosis_of_draws(
    law: Law, target: Target, drawn: Array, std: float
) -> list[Outcome]:
    """Of entries that depend on each other: every draw counts once."""
    stated = law.kurtosis_at(target)
    if stated is None or len(drawn) < FEWEST_DRAWS:
        return []
    fourth = np.mean((drawn / std).reshape(len(drawn), -1) ** 4, axis=1)
    error = float(fourth.std(ddof=1)) / math.sqrt(len(drawn))
    t = (float(fourth.mean()) - 3 - stated) / max(error, 1e-9)
    return [
        Outcome(
            name="kurtosis",
            where=target,
            measured=float(fourth.mean()) - 3,
            expected=stated,
            p=float(2 * scipy.stats.t(len(drawn) - 1).sf(abs(t))),
            detail=f"mean of {len(drawn)} draws",
        )
    ]


def _distribution(law: Law, target: Target, ordered: Array) -> Outcome:
    """Kolmogorov and Smirnov's; with the sample's own width it errs to caution."""
    count = len(ordered)
    cdf: Any = law.density.cdf(ordered)
    steps = np.arange(count + 1) / count
    distance = float(max((steps[1:] - cdf).max(), (cdf - steps[:-1]).max()))
    scaled = math.sqrt(count) * distance
    return Outcome(
        name=f"distribution ({law.distribution})",
        where=target,
        measured=distance,
        expected=0.0,
        # Chance does not come as close as numbers that are spread evenly on purpose.
        p=float(kolmogorov(scaled)) if scaled > TOO_EVEN else 0.0,
        detail="largest distance of the distribution functions",
    )


def _extremes(law: Law, target: Target, scaled: Array, epsilon: float) -> Outcome:
    largest = float(np.abs(scaled).max())
    edge = law.density.edge
    # The sample's own width is off by a few standard errors, or 1 % in 16 bits.
    slack = 6 / math.sqrt(scaled.size) + 2 * epsilon
    beyond = largest > edge * (1 + slack)
    tail = 2 * float(1 - law.density.cdf(largest * (1 + slack)))
    short = math.exp(-scaled.size * tail)
    tail = 2 * float(1 - law.density.cdf(largest))
    long = -math.expm1(-scaled.size * tail) if edge == math.inf else 1.0
    return Outcome(
        name="bounds" if edge < math.inf else "extremes",
        where=target,
        measured=largest,
        expected=min(edge, math.sqrt(2 * math.log(scaled.size))),
        p=0.0 if beyond else 2 * min(short, long, 0.5),
        detail="largest weight, in standard deviations",
    )
