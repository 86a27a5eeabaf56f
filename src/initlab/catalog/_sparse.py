"""Gaussian weights most of which may be zero."""

# ruff: noqa: ARG001  -- a law takes what its draw takes

import math

import numpy as np

from initlab.catalog._checks import Shape, checked_number, checked_shape
from initlab.catalog._rng import Rng, Weight, standard_normal, uniform


def sparse(
    shape: Shape, *, rng: Rng, sparsity: float = 0.5, std: float = 0.01
) -> Weight:
    """Gaussian entries N(0, std^2), a fraction of each column then set to 0.

    As PyTorch's `sparse_`: every column, that is, every input, keeps its number of
    units; of m units, ceil(sparsity * m) lose it, at random places. Martens proposed
    the other direction, 15 non-zero inputs for every unit: with many units of few
    inputs, some here may have none.

    Args:
        shape: `(fan_out, fan_in)`, or `(out, in, *kernel)`, which is flattened to
            `(out, in * kernel)`; or a layer.
        rng: Advanced by one normal draw per entry, then by one uniform.
        sparsity: Fraction of zeros, from 0 to 1.
        std: Standard deviation of the entries that are not zero; 0 or more.

    Example:
        >>> weight = sparse((10, 3), rng=np.random.default_rng(0), sparsity=0.85)
        >>> (weight == 0).sum(axis=0).tolist()
        [9, 9, 9]

    References:
        Martens (2010), section 5,
        https://www.cs.toronto.edu/~jmartens/docs/Deep_HessianFree.pdf
    """
    sizes = checked_shape(shape)
    zeros = _zeros(sizes[0], sparsity)
    weight = standard_normal(sizes, rng) * checked_number("std", std, at_least=0.0)
    # The order of uniform draws is a random permutation of every column.
    order = uniform(sizes, rng, 0.0, 1.0).argsort(axis=0, kind="stable")
    np.put_along_axis(weight, order[:zeros], 0.0, axis=0)
    return weight


def sparse_std(shape: Shape, *, sparsity: float = 0.5, std: float = 0.01) -> float:
    """`std * sqrt(p)`, p the share that is not zero: 1 - ceil(sparsity * m) / m.

    Example:
        >>> sparse_std((10, 3), sparsity=0.75, std=0.5) == 0.5 * math.sqrt(0.2)
        True
    """
    share = _share(shape, sparsity)
    return checked_number("std", std, at_least=0.0) * math.sqrt(share)


def sparse_kurtosis(shape: Shape, *, sparsity: float = 0.5, std: float = 0.01) -> float:
    """3 / p - 3, p the share that is not zero; 0 where all are.

    Example:
        >>> sparse_kurtosis((10, 3), sparsity=0.5)
        3.0
    """
    share = _share(shape, sparsity)
    return 3 / share - 3 if share else 0.0


def _share(shape: Shape, sparsity: float) -> float:
    rows = checked_shape(shape)[0]
    return (rows - _zeros(rows, sparsity)) / rows


def _zeros(rows: int, sparsity: float) -> int:
    checked_number("sparsity", sparsity, at_least=0.0, at_most=1.0)
    return math.ceil(sparsity * rows)
