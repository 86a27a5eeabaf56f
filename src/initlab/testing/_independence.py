"""Whether entries, units, inputs and draws are alike and know nothing of each other.

Copies leave traces in correlations whatever the copying: between rows (units),
between columns (inputs), at a fixed distance (Toeplitz, overlapping streams), or in
a mirror. Unequal widths leave traces in the squares.
"""

import math
from typing import Any

import numpy as np
import scipy.stats
from scipy.special import chdtr, chdtrc, ndtr, ndtri

from initlab.spec import LayerSpec
from initlab.testing._bits import dithered
from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Array, Target, layer_of, shape_of
from initlab.testing._report import Outcome

SHAPES: tuple[tuple[int, ...], ...] = (
    (256, 256),
    (120, 500),
    (500, 120),
    (61, 333),
    (48, 40, 5, 5),
    (60, 30, 15),
)
MEMBERS = (37, 53)
MEMBER_DRAWS = 64
# Layers that are drawn after each other from one stream, and how many such networks.
NETWORK: tuple[tuple[int, ...], ...] = (
    (20, 30),
    (30, 20),
    (20, 30),
    (24, 36),
    (12, 10, 3, 3),
    (40, 30),
)
NETWORKS = 12


def independence(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge rows, columns and distances within each of `factor` draws."""
    outcomes = []
    drawn = sampler.draws(target, factor, *path)
    drawn, four = _scaled(drawn, centre=law.independent)
    rows = drawn.reshape(factor * shape_of(target)[0], -1)
    first = drawn[0].reshape(shape_of(target)[0], -1)
    if not law.independent:
        if not (law.distinct_units and law.full_rank):
            return []
        rows = rows[:, rows.any(axis=0)]
        return [_related("dependent units", law, target, rows / rows.std(), four)]
    for axis in range(1, drawn.ndim):
        moved = np.moveaxis(drawn, axis, 0).reshape(drawn.shape[axis], -1)
        name = ("units", "inputs", "kernel positions")[min(axis, 3) - 1]
        outcomes += _alike(name, target, moved, four)
    if drawn.ndim > 4:
        size = math.prod(drawn.shape[3:])
        outcomes += _alike("kernel positions", target, drawn.reshape(-1, size).T, four)
    return [
        *outcomes,
        _related("dependent units", law, target, rows, four),
        _related("dependent inputs", law, target, _columns(drawn), four),
        _patterns(target, first),
    ]


def members(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge many draws of one shape against each other."""
    drawn = sampler.draws(target, MEMBER_DRAWS * factor, *path)
    drawn, four = _scaled(drawn)
    flat = drawn.reshape(len(drawn), -1)
    if not law.independent:
        flat = flat - flat.mean(axis=0)
        return [_related("dependent draws", law, target, flat, four)]
    return [
        _related("dependent draws", law, target, flat, four),
        *_alike("draws", target, flat, four),
        *_alike("entries", target, *_normal_scores(sampler, law, flat)),
        _overlap(target, flat.reshape(-1)),
    ]


def network(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge layers of several shapes, drawn after each other from one stream."""
    shapes: list[Target] = [
        layer_of(shape) if isinstance(target, LayerSpec) else shape for shape in NETWORK
    ]
    shapes = [s for s in shapes if sampler.accepts is None or sampler.accepts(s)]
    layers: list[list[Array]] = [[] for _ in shapes]
    for index in range(NETWORKS * factor):
        rng = sampler.stream(*path, index)
        for found, shape in zip(layers, shapes, strict=True):
            found.append(sampler.weight(shape, rng).reshape(-1))
    scaled = [_scaled(np.array(found)) for found in layers]
    # The largest correlation of two layers, moved against each other.
    worst, tests = 0.0, 0
    for later, (second, _) in enumerate(scaled):
        for first, _ in scaled[:later]:
            z = _largest_moved(first, second)
            tests += first.shape[1] + second.shape[1]
            worst = max(worst, z)
    outcomes = [
        Outcome(
            name="dependent layers",
            where=target,
            measured=worst,
            expected=0.0,
            p=min(1.0, tests * float(2 * scipy.stats.norm.sf(worst))),
            detail="largest correlation of two layers of one stream, in standard "
            "errors",
        )
    ]
    for shape, found in zip(shapes, layers, strict=True):
        std = law.std_at(shape)
        if std is None or not std:
            continue
        values = np.array(found) / std - (law.mean or 0.0) / std
        error = math.sqrt(law.density.excess_kurtosis + 2) / math.sqrt(values.size)
        z = (float(np.mean(values**2)) - 1) / error
        outcomes.append(
            Outcome(
                name="widths of layers",
                where=shape,
                measured=math.sqrt(float(np.mean(values**2))),
                expected=1.0,
                p=float(2 * scipy.stats.norm.sf(abs(z))),
                detail="of one place in a network, in the law's standard deviations",
            )
        )
    return outcomes


def _largest_moved(first: Array, second: Array) -> float:
    """The largest sum of products of two layers at any distance, standardized."""
    length = first.shape[1] + second.shape[1]
    spectra = np.conj(np.fft.rfft(first, length)) * np.fft.rfft(second, length)
    sums = np.fft.irfft(spectra.sum(axis=0), length)
    # So many numbers overlap at each distance: at least 20 shall.
    ones = np.conj(np.fft.rfft(np.ones(first.shape[1]), length))
    ones = ones * np.fft.rfft(np.ones(second.shape[1]), length)
    overlap = np.fft.irfft(ones, length).round()
    enough = overlap >= 20
    return float((np.abs(sums[enough]) / np.sqrt(len(first) * overlap[enough])).max())


def _normal_scores(sampler: Sampler, law: Law, flat: Array) -> tuple[Array, float]:
    """One row per entry: its draws as normal numbers, whatever their law."""
    exact = dithered(flat, sampler)
    shares = law.density.cdf(exact)
    scores = np.clip(ndtri(np.clip(shares, 1e-9, 1 - 1e-9)), -4.0, 4.0)
    scores, four = _scaled(scores)
    return scores.T, four


def _scaled(drawn: Array, *, centre: bool = True) -> tuple[Array, float]:
    """The draws with mean 0 and variance 1, and their fourth moment.

    Their own, not the law's: a wrong distribution is judged elsewhere, by its name.
    """
    centred = drawn - (drawn.mean() if centre else 0.0)
    centred /= float(centred.std()) or 1.0
    return centred, float(np.mean(np.square(np.square(centred))))


def _columns(drawn: Array) -> Array:
    """What one input sends to all units, as rows: `(input, draw and unit)`."""
    flat = drawn.reshape(*drawn.shape[:2], -1)
    return flat.transpose(2, 0, 1).reshape(flat.shape[2], -1)


def _related(name: str, law: Law, target: Target, rows: Array, four: float) -> Outcome:
    """Sum of the squared products of all pairs of rows, of variance 1 each.

    For independent entries its mean is `pairs * length`; its variance follows from
    the fourth moment. Without a law only too large a sum is judged.
    """
    count, length = rows.shape
    if count < 2:
        return _fine(name, target)
    gram = rows @ rows.T if count <= length else rows.T @ rows
    squares = float(np.sum(gram**2))
    norms = np.sum(rows**2, axis=1)
    total = (squares - float(np.sum(norms**2))) / 2
    pairs = count * (count - 1) / 2
    single = 2 * length**2 - 3 * length + length * four**2
    shared = count * (count - 1) * (count - 2) * length * (four - 1)
    # Centring and the sample's own width move it by less than a few per cent of this.
    z = (total - pairs * length) / math.sqrt(pairs * single + shared)
    p = float(2 * scipy.stats.norm.sf(abs(z)))
    if not law.independent:
        # Entries of unknown tails and zeros: only copying on a large scale.
        ratio = total / max(pairs * length, 1.0)
        p = 0.0 if ratio > 10 else 1.0
    return Outcome(
        name=name,
        where=target,
        measured=math.sqrt(max(total, 0.0) / pairs) / length,
        expected=1 / math.sqrt(length),
        p=p,
        detail=f"root mean square correlation of two of {count}",
    )


def _alike(name: str, target: Target, slices: Array, four: float) -> list[Outcome]:
    """Whether slices have the same width, and sums as independent entries have."""
    count, length = slices.shape
    if count < 2 or length < 20:
        return []
    # A chi-squared with as many degrees of freedom as match the variance.
    freedom = 2 * (length - 1) / max(four - 1, 1e-3)
    widths = np.var(slices, axis=1, ddof=1)
    sums = np.sum(slices, axis=1) / math.sqrt(length)
    outcomes = []
    chi_squared = freedom * widths
    for what, below, above in (
        ("sums", ndtr(sums), ndtr(-sums)),
        ("widths", chdtr(freedom, chi_squared), chdtrc(freedom, chi_squared)),
    ):
        tails = 2 * np.minimum(below, above)
        single = min(1.0, count * float(tails.min()))
        normal = -ndtri(np.clip(above, 1e-300, 1 - 1e-16))
        squares = float(np.sum(np.square(normal)))
        # Widths are divided by the width of all: one degree of freedom less, at most.
        every = 2 * min(float(chdtr(count, squares)), float(chdtrc(count, squares)))
        values = np.sqrt(widths) if what == "widths" else sums
        outcomes.append(
            Outcome(
                name=f"{what} of {name}",
                where=target,
                measured=float(values[np.argmin(tails)]),
                expected=1.0 if what == "widths" else 0.0,
                p=min(1.0, 2 * min(single, every)),
                detail=f"the most unusual of {count}, in standard deviations",
            )
        )
    return outcomes


def _patterns(target: Target, matrix: Array) -> Outcome:
    """The largest correlation of the matrix with itself, moved or mirrored."""
    # Sums of squares of heavy tails would be far from normal.
    sizes = np.minimum(np.abs(matrix), 3.0)
    sizes = (sizes - sizes.mean()) / (float(sizes.std()) or 1.0)
    worst, what, tests = 0.0, "", 0
    for name, values in (("weights", matrix), ("sizes", sizes)):
        for kind, sums in _correlations(values):
            z = float(np.abs(sums).max()) / math.sqrt(values.size)
            tests += 1
            if z > worst:
                worst, what = z, f"{name} {kind}"
    trials = tests * matrix.size
    return Outcome(
        name="patterns",
        where=target,
        measured=worst / math.sqrt(matrix.size),
        expected=0.0,
        p=min(1.0, trials * float(2 * scipy.stats.norm.sf(worst))),
        detail=f"largest correlation with itself: {what}",
    )


def _correlations(values: Array) -> list[tuple[str, Array]]:
    """Sums of products with the matrix moved by every distance, also mirrored.

    Products of an entry with itself are left out: they say nothing. A mirrored pair
    meets itself twice, so that its sum has twice the variance.
    """
    rows, columns = values.shape
    spectrum = np.fft.rfft2(values)

    def against(other: Array) -> Array:
        product = spectrum * np.conj(np.fft.rfft2(other))
        return np.fft.irfft2(product, s=values.shape)

    moved = against(values)
    moved[0, 0] = 0.0
    # Mirrored without a move: equal rows, or columns, which are judged by themselves.
    found = [
        ("moved", moved),
        ("upside down", against(values[::-1])[:, 1:] / math.sqrt(2)),
        ("back to front", against(values[:, ::-1])[1:] / math.sqrt(2)),
        ("turned", against(values[::-1, ::-1]) / math.sqrt(2)),
    ]
    if rows == columns:
        index = np.arange(rows)
        transposed, other = against(values.T), against(values.T[::-1, ::-1])
        transposed[index, -index] -= rows
        other[index, index] -= rows
        found += [
            ("transposed", transposed / math.sqrt(2)),
            ("transposed and turned", other / math.sqrt(2)),
            ("turned left", against(values.T[::-1]) / math.sqrt(2)),
            ("turned right", against(values.T[:, ::-1]) / math.sqrt(2)),
        ]
    return found


def _overlap(target: Target, stream: Array) -> Outcome:
    """The largest correlation of all draws in a row with themselves, moved."""
    padded = np.fft.rfft(stream, n=2 * len(stream))
    sums: Any = np.fft.irfft(np.abs(padded) ** 2)[1 : len(stream) - 1000]
    terms = len(stream) - np.arange(1, len(sums) + 1)
    z = float((np.abs(sums) / np.sqrt(terms)).max())
    return Outcome(
        name="overlapping draws",
        where=target,
        measured=z / math.sqrt(len(stream)),
        expected=0.0,
        p=min(1.0, len(sums) * float(2 * scipy.stats.norm.sf(z))),
        detail="largest correlation of the stream of all draws with itself, moved",
    )


def _fine(name: str, target: Target) -> Outcome:
    return Outcome(name=name, where=target, measured=0.0, expected=0.0, p=1.0)
