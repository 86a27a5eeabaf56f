"""Distributions whose width the user states: normal, uniform, truncated normal."""

# ruff: noqa: ARG001  -- one signature for every row of the table

import math

import numpy as np
from scipy.special import gammainc, ndtr, ndtri

from initlab.catalog._checks import Shape, checked_number
from initlab.catalog._rng import Rng, Weight, standard_normal
from initlab.catalog._rng import uniform as uniform_draws
from initlab.errors import InvalidValueError

# Cut this close, the density is flat to rounding: a uniform distribution's moments,
# off by a factor of order bound^2, which itself would underflow soon.
_FLAT_BELOW = 1e-8


def normal(shape: Shape, *, rng: Rng, std: float = 0.01, mean: float = 0.0) -> Weight:
    """Gaussian entries N(mean, std^2), whatever the fans.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one normal draw per entry, and by nothing else.
        std: Standard deviation; 0 or more.
        mean: Expected value.

    Example:
        >>> weight = normal((3, 2), rng=np.random.RandomState(3), std=10.0)
        >>> round(float(weight[0, 0]), 8)
        17.88628473

    References:
        Krizhevsky, Sutskever and Hinton (2012), section 5 (std 0.01),
        https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks
    """
    centred = standard_normal(shape, rng) * normal_std(shape, std=std, mean=mean)
    return centred + mean


def normal_std(shape: Shape, *, std: float = 0.01, mean: float = 0.0) -> float:
    """The standard deviation as stated; the mean does not matter.

    Example:
        >>> normal_std((10, 2), std=10.0)
        10.0
    """
    checked_number("mean", mean)
    return float(checked_number("std", std, at_least=0.0))


def uniform(
    shape: Shape, *, rng: Rng, low: float = -0.05, high: float = 0.05
) -> Weight:
    """Entries spread evenly over [low, high), whatever the fans.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        low: Smallest value.
        high: Bound above; not below `low`.

    Raises:
        InvalidValueError: If `low` is greater than `high`.

    Example:
        >>> weight = uniform((10, 2), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 0.05)
        True

    References:
        Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0
    """
    _checked_interval(low, high)
    return uniform_draws(shape, rng, low, high)


def uniform_std(shape: Shape, *, low: float = -0.05, high: float = 0.05) -> float:
    """(high - low) / sqrt(12).

    Example:
        >>> round(uniform_std((10, 2), low=0.0, high=1.0), 6)
        0.288675
    """
    _checked_interval(low, high)
    return (high - low) / math.sqrt(12)


def truncated_normal(
    shape: Shape, *, rng: Rng, std: float = 0.01, bound: float = 2.0
) -> Weight:
    """Gaussian entries without tails: N(0, std^2) cut at `bound` standard deviations.

    Nothing is corrected for the cut, as in PyTorch's `trunc_normal_`: the realised
    standard deviation is smaller than `std`, 0.88 of it at the default bound.
    `variance_scaling(distribution=truncated_normal)` does correct.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.
        std: Standard deviation before the cut; 0 or more.
        bound: Where the cut is, in multiples of `std`; above 0.

    Example:
        >>> weight = truncated_normal((10, 2), rng=np.random.default_rng(0), std=1.0)
        >>> bool(abs(weight).max() <= 2)
        True

    References:
        Burkardt (2014), "The Truncated Normal Distribution",
        https://people.sc.fsu.edu/~jburkardt/presentations/truncated_normal.pdf
    """
    return truncated_draws(shape, rng, bound) * checked_number("std", std, at_least=0.0)


def truncated_normal_std(
    shape: Shape, *, std: float = 0.01, bound: float = 2.0
) -> float:
    """The realised standard deviation, after the cut.

    It is std * sqrt(P(3/2, b^2/2) / P(1/2, b^2/2)), b the bound and P the regularised
    incomplete gamma function: z^2 of a standard normal z is chi-squared, and the form
    does not cancel where the bound is small.

    Example:
        >>> round(truncated_normal_std((10, 2), std=1.0, bound=2.0), 6)
        0.879626
    """
    return checked_number("std", std, at_least=0.0) * _cut_std(bound)


def truncated_draws(shape: Shape, rng: Rng, bound: float) -> Weight:
    """Standard normal draws cut at `bound`, by the inverse distribution function.

    Not by rejection: one uniform number per entry, so that the number of draws, and
    with it everything drawn afterwards, does not depend on luck.

    Example:
        >>> truncated_draws((10, 2), np.random.default_rng(0), 2.0).shape
        (10, 2)
    """
    checked_number("bound", bound, above=0.0)
    quantiles = uniform_draws(shape, rng, float(ndtr(-bound)), float(ndtr(bound)))
    # Rounding can pass the bound by an ulp, and a bound beyond 38 has ndtr(-bound) = 0,
    # whose quantile is -inf.
    return np.clip(ndtri(quantiles), -bound, bound)


def truncated_kurtosis(bound: float) -> float:
    """Excess kurtosis of a normal distribution cut at `bound` standard deviations.

    Example:
        >>> round(truncated_kurtosis(2.0), 4)
        -0.6345
    """
    checked_number("bound", bound, above=0.0)
    if bound < _FLAT_BELOW:
        return -1.2
    half_square = bound * bound / 2
    fourth_moment = 3 * gammainc(2.5, half_square) / gammainc(0.5, half_square)
    return float(fourth_moment) / _cut_std(bound) ** 4 - 3


def _cut_std(bound: float) -> float:
    checked_number("bound", bound, above=0.0)
    if bound < _FLAT_BELOW:
        return bound / math.sqrt(3)
    half_square = bound * bound / 2
    return math.sqrt(gammainc(1.5, half_square) / gammainc(0.5, half_square))


def _checked_interval(low: float, high: float) -> None:
    checked_number("low", low)
    checked_number("high", high)
    if low > high:
        raise InvalidValueError(
            f"uniform: low must not be above high, got low={low:g} and high={high:g}"
        )
