"""Orthogonal weights: orthogonal everywhere, and uniform over all such matrices.

Without the signs of R's diagonal, a QR decomposition gives an expected trace of -1.59
in 8 x 8 instead of 0, an SVD +.223: orthogonal, but not uniform.

References:
    Diaconis and Shahshahani (1994), On the eigenvalues of random matrices;
    Mezzadri (2007), https://arxiv.org/abs/math-ph/0609050
"""

import math
from typing import Any

import numpy as np
import scipy.stats

from initlab.spec import LayerSpec
from initlab.testing._calls import Sampler
from initlab.testing._law import Law
from initlab.testing._layers import Array, Target
from initlab.testing._report import Outcome, exactly

ORTHOGONAL: tuple[tuple[int, ...], ...] = (
    (64, 64),
    (37, 37),
    (40, 160),
    (160, 40),
    (37, 53),
    (53, 37),
    (1, 24),
    (24, 1),
    (16, 8, 3, 3),
    (80, 4, 3, 3),
    (20, 3, 5),
    (500, 300),
    (100, 130),
)
# Each part is orthogonal on its own: a whole matrix of these sizes is not.
LAYERS: tuple[LayerSpec, ...] = (
    LayerSpec(shape=(80, 20), packed=4),
    LayerSpec(shape=(60, 40), packed=3),
    LayerSpec(kind="conv", shape=(96, 4, 3, 3), groups=6),
    LayerSpec(kind="conv", shape=(48, 4, 3), groups=4),
)
UNIFORM: tuple[tuple[int, ...], ...] = ((8, 8), (5, 5), (12, 7), (7, 12), (9, 2, 2))
# For those that need a kernel, and are a matrix at its centre.
KERNELS: tuple[tuple[int, ...], ...] = ((6, 6, 3), (5, 5, 3, 3), (12, 7, 1), (9, 2, 2))
DRAWS = 500


def orthogonality(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge rows or columns, whichever are fewer, of several draws."""
    worst = 0.0
    drawn = sampler.draws(target, 2 * factor, *path)
    elsewhere = np.count_nonzero(drawn) - np.count_nonzero(_centre(law, drawn))
    for matrix in _matrices(law, target, drawn):
        short = matrix if len(matrix) <= matrix.shape[1] else matrix.T
        gram = short @ short.T
        worst = max(worst, float(np.abs(gram - np.eye(len(gram))).max()))
    epsilon = sampler.epsilon
    allowed = 4 * epsilon if epsilon > 1e-5 else 256 * epsilon
    return [
        exactly(
            "zeros beside the centre",
            elsewhere == 0,
            where=target,
            measured=elsewhere,
            detail="weights beside the kernel's centre that are not zero",
        ),
        exactly(
            "orthogonality",
            worst <= allowed,
            where=target,
            measured=worst,
            detail=f"largest entry of W W^T / gain^2 - I, allowed {allowed:.1g}",
        ),
    ]


def haar(
    sampler: Sampler, law: Law, target: Target, factor: int, *path: str | int
) -> list[Outcome]:
    """Judge statistics of many small draws against those of the uniform law."""
    drawn = sampler.draws(target, DRAWS * factor, *path)
    matrices = _matrices(law, target, drawn)
    rows, columns = matrices.shape[1:]
    longer, shorter = max(rows, columns), min(rows, columns)
    diagonal = np.einsum("dii->di", matrices[:, :shorter, :shorter])
    traces = diagonal.sum(axis=1)
    fourth = 3 / (longer * (longer + 2))
    statistics: list[tuple[str, Array, float]] = [
        ("Haar: trace", traces, 0.0),
        ("Haar: squared trace", traces**2, shorter / longer),
        ("Haar: entries' kurtosis", np.mean(matrices**4, axis=(1, 2)), fourth),
    ]
    if rows == columns:
        statistics += [
            # 1 for O(n), whatever n: rotations and reflections are equally frequent.
            (
                "Haar: trace of the square",
                np.einsum("dij,dji->d", matrices, matrices),
                1.0,
            ),
            ("Haar: determinant", np.linalg.det(matrices), 0.0),
            (
                "Haar: trace of the cube",
                np.trace(np.linalg.matrix_power(matrices, 3), axis1=1, axis2=2),
                0.0,
            ),
        ]
    outcomes = [_t_test(target, *each) for each in statistics]
    outcomes.append(_entries("Haar: entries' means", target, matrices, 0.0, 1 / longer))
    squares = fourth - 1 / longer**2
    outcomes.append(
        _entries("Haar: entries' squares", target, matrices**2, 1 / longer, squares)
    )
    # Two entries of one row, and of one column: uncorrelated in sign and in size.
    if shorter > 1:
        along = matrices if columns > 1 else matrices.transpose(0, 2, 1)
        outcomes.append(
            _t_test(
                target,
                "Haar: products of entries",
                np.mean(along[:, :, :-1] * along[:, :, 1:], axis=(1, 2)),
                0.0,
            )
        )
    return outcomes


def _matrices(law: Law, target: Target, drawn: Array) -> Array:
    """The orthogonal matrices that the weights are made of, their gain taken out.

    Their sizes say which gain the law's standard deviation stands for.
    """
    parts = 1
    if isinstance(target, LayerSpec) and law.per_part:
        parts = target.groups * target.packed
    centre = _centre(law, drawn)
    if law.distribution == "mirrored_orthogonal":
        centre = _unmirrored(_unmirrored(centre, 1), 2)
    rows = centre.shape[1] // parts
    matrices = centre.reshape(len(drawn) * parts, rows, -1)
    # The mean square of all entries, the zeros beside the centre too.
    std = law.std_at(target)
    if std is None:
        std = float(np.sqrt(np.mean(drawn**2)))
    gain = std * math.sqrt(drawn[0].size / centre[0].size * max(matrices.shape[1:]))
    if law.distribution == "mirrored_orthogonal":
        gain = std * math.sqrt(max(matrices.shape[1:]))
    return matrices / (gain or 1.0)


def _centre(law: Law, drawn: Array) -> Array:
    """What a kernel's centre does, of weights that are zero elsewhere; else all."""
    if law.distribution != "delta_orthogonal":
        return drawn
    return drawn[(..., *(size // 2 for size in drawn.shape[3:]))]


def _unmirrored(drawn: Array, axis: int) -> Array:
    """The first half of an axis, if the second is its opposite."""
    moved = np.moveaxis(drawn, axis, 0)
    half = (len(moved) + 1) // 2
    if np.array_equal(moved[half:], -moved[: len(moved) - half]):
        moved = moved[:half]
    return np.moveaxis(moved, 0, axis)


def _t_test(target: Target, name: str, values: Array, expected: float) -> Outcome:
    error = float(values.std()) / math.sqrt(len(values))
    deviation = float(values.mean()) - expected
    # Values that never vary are either right to rounding, or certainly wrong.
    z = deviation / max(error, 1e-9)
    return Outcome(
        name=name,
        where=target,
        measured=float(values.mean()),
        expected=expected,
        p=float(2 * scipy.stats.norm.sf(abs(z))),
        detail=f"mean of {len(values)} draws",
    )


def _entries(
    name: str, target: Target, values: Array, mean: float, variance: float
) -> Outcome:
    error = math.sqrt(variance / len(values))
    z: Any = (values.mean(axis=0) - mean) / max(error, 1e-9)
    place = np.unravel_index(np.argmax(np.abs(z)), z.shape)
    p = min(1.0, z.size * float(2 * scipy.stats.norm.sf(abs(z[place]))))
    return Outcome(
        name=name,
        where=target,
        measured=float(values.mean(axis=0)[place]),
        expected=mean,
        p=p,
        detail=f"entry {tuple(int(i) for i in place)} of {len(values)} draws",
    )
