"""How probable it is that units, layers and networks say nothing."""

import math

import numpy as np
from scipy import special
from scipy.optimize import minimize_scalar

from initlab.theory._checks import (
    Number,
    Numbers,
    checked_layers,
    checked_number,
)
from initlab.theory._quadrature import normal_nodes


def born_dead_bound(widths: Numbers) -> float:
    """Largest probability that a ReLU network gives a constant from the start.

    1 - prod(1 - 2^-n): that of some layer with all its units off on a whole side of
    the input. Biases of 0 and weights symmetric about 0.

    Args:
        widths: Units of each hidden layer, 1 or more.

    Example:
        >>> round(born_dead_bound([3]), 4)
        0.125

    References:
        Lu, Shin, Su and Karniadakis (2019), https://arxiv.org/abs/1903.06733
    """
    n = checked_layers("widths", widths, at_least=1.0)
    return float(-np.expm1(np.log1p(-(0.5**n)).sum()))


def orthant_probability(correlation: Number, examples: int) -> float:
    """Probability that a unit's pre-activation is negative on every example.

    For pre-activations of mean 0 whose correlations are all equal: a ReLU unit that is
    inactive on this batch, and need not be dead. In a He network of depth 20 the
    correlation is about 0.95, so that a third of all units are inactive on 8 examples.

    Args:
        correlation: Of the pre-activations of any two examples, from 0 to 1.
        examples: In the batch, 1 or more.

    Example:
        >>> round(orthant_probability(0.95, 8), 3)
        0.373
        >>> round(orthant_probability(0.5, 2), 12)
        0.333333333333

    References:
        Steck (1962), Orthant probabilities for the equicorrelated multivariate normal
        distribution, Biometrika 49
    """
    c = checked_number("correlation", correlation, at_least=0.0, at_most=1.0)
    m = checked_number("examples", examples, at_least=1.0)
    if c == 1:
        return 0.5
    scale = math.sqrt(c / (1 - c))

    def log_density(z: np.ndarray) -> np.ndarray:
        return np.asarray(m * special.log_ndtr(scale * z) - 0.5 * z * z)

    # Log-concave, at least as narrow as a normal: all of it is within ten of its top.
    reach = math.sqrt(2 * m * math.log(2)) + 1
    top = minimize_scalar(
        lambda z: -float(log_density(np.asarray(z))), bounds=(-1.0, reach),
        method="bounded",
    ).x  # fmt: skip
    offsets, weights = normal_nodes()
    return float(weights @ np.exp(log_density(top + offsets))) / math.sqrt(2 * math.pi)
