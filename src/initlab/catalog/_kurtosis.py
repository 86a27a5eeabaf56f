"""Excess kurtosis of the distributions that several rows share: their tails.

>>> truncated_normal_kurtosis((10, 2)) < normal_kurtosis((10, 2))
True
"""

# ruff: noqa: ARG001  -- a law takes what its draw takes

from collections.abc import Callable
from typing import Any

from initlab.catalog._checks import Shape
from initlab.catalog._plain import truncated_kurtosis
from initlab.catalog._scaling import TRUNCATED_BOUND, truncates
from initlab.spec import Dialect


def normal_kurtosis(shape: Shape, **parameters: Any) -> float:
    """0, by definition.

    Example:
        >>> normal_kurtosis((10, 2))
        0.0
    """
    return 0.0


def uniform_kurtosis(shape: Shape, **parameters: Any) -> float:
    """-6/5.

    Example:
        >>> uniform_kurtosis((10, 2))
        -1.2
    """
    return -1.2


def truncated_normal_kurtosis(
    shape: Shape, *, bound: float = TRUNCATED_BOUND, **parameters: Any
) -> float:
    """Of a normal distribution cut at `bound`, whatever its width.

    Example:
        >>> round(truncated_normal_kurtosis((10, 2), std=3.0), 4)
        -0.6345
    """
    return truncated_kurtosis(bound)


def dialect_normal_kurtosis(
    shape: Shape, *, dialect: Dialect = "initlab", **parameters: Any
) -> float:
    """Of a normal distribution, cut where the dialect cuts.

    Example:
        >>> round(dialect_normal_kurtosis((10, 2), dialect="keras"), 4)
        -0.6345
    """
    return truncated_kurtosis(TRUNCATED_BOUND) if truncates(dialect) else 0.0


def variance_scaling_kurtosis(
    shape: Shape,
    *,
    distribution: str = "normal",
    dialect: Dialect = "initlab",
    **parameters: Any,
) -> float:
    """Of the distribution asked for; Keras truncates "normal" too.

    Example:
        >>> variance_scaling_kurtosis((10, 2), distribution="uniform")
        -1.2
    """
    cut = distribution == "normal" and dialect == "keras"
    laws: dict[str, Callable[..., float]] = {
        "normal": normal_kurtosis,
        "truncated_normal": truncated_normal_kurtosis,
        "uniform": uniform_kurtosis,
    }
    return laws["truncated_normal" if cut else distribution](shape)
