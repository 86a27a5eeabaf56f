"""Singular values of the input-output Jacobian: whether all directions are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from initlab.errors import InvalidValueError
from initlab.theory._checks import (
    Number,
    checked_activation,
    checked_name,
    checked_number,
)
from initlab.theory._moments import slope_moment
from initlab.theory._quadrature import expectation

Ensemble = Literal["gaussian", "orthogonal"]
# The first moment of the S-transform of W W^T, Pennington et al. (2017).
_FIRST = {"gaussian": -1.0, "orthogonal": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class JacobianSpectrum:
    """The squared singular values of the Jacobian of a wide, square network.

    Attributes:
        mean: Of the squared singular values: chi_1 to the power of the depth.
        relative_variance: Variance over squared mean; 0 is isometry. Where it exceeds
            about 1, few directions carry most of the signal.
    """

    mean: float
    relative_variance: float


def jacobian_spectrum(
    activation: str,
    *,
    q: Number,
    depth: int,
    weight_variance: Number,
    ensemble: Ensemble = "gaussian",
) -> JacobianSpectrum:
    """Mean and spread of the squared singular values of dh_L/dh_0.

    The relative variance is L (mu_2 / mu_1^2 - 1 - s_1), mu_k = E f'^(2k): it can stay
    small in deep networks with orthogonal weights (s_1 = 0) and sigmoidal units at
    small q only; Gaussian weights (s_1 = -1) add 1 per layer.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        q: Variance of the pre-activations, the same in all layers; 0 or more.
        depth: Layers, each a weight and an activation; 1 or more.
        weight_variance: fan_in times the variance of an entry; above 0.
        ensemble: `"gaussian"` or `"orthogonal"` weights.

    Example:
        >>> jacobian_spectrum("relu", q=1.0, depth=10, weight_variance=2.0)
        JacobianSpectrum(mean=1.0, relative_variance=20.0)

    References:
        Pennington, Schoenholz and Ganguli (2017), section 2,
        https://arxiv.org/abs/1711.04735
    """
    derivative = checked_activation(activation).derivative
    checked_name("ensemble", ensemble, _FIRST)
    q = checked_number("q", q, at_least=0.0)
    layers = checked_number("depth", depth, at_least=1.0)
    weight = checked_number("weight_variance", weight_variance, above=0.0)
    first = float(slope_moment(activation, q))
    if activation == "sin":
        second = 3 / 8 + np.exp(-2 * q) / 2 + np.exp(-8 * q) / 8
    else:
        least = np.array([max(q, 1e-280)])
        second = expectation(lambda u: derivative(u) ** 4, least)[0]
    return JacobianSpectrum(
        mean=(weight * first) ** layers,
        relative_variance=float(layers * (second / first**2 - 1 - _FIRST[ensemble])),
    )


def jacobian_singular_values(
    activation: str,
    weights: Sequence[Float[np.ndarray, "_ _"]],
    pre_activations: Sequence[Float[np.ndarray, "_"]],
) -> Float[np.ndarray, "value"]:
    """Singular values of dh_L/dh_0 of a given network at a given example, descending.

    W_L diag f'(h_(L-1)) W_(L-1) ... diag f'(h_1) W_1: inputs to last pre-activations.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weights: Of layers 1 to L, each `(fan_out, fan_in)`.
        pre_activations: Of layers 1 to L-1, or to L; what the last one has is not used.

    Raises:
        InvalidValueError: If the layers do not fit each other.

    Example:
        >>> eye = np.eye(2)
        >>> jacobian_singular_values("relu", [eye, 3 * eye], [np.array([1.0, -1.0])])
        array([3., 0.])
    """
    derivative = checked_activation(activation).derivative
    if not weights or len(pre_activations) not in (len(weights) - 1, len(weights)):
        raise InvalidValueError(
            "give those of layers 1 to L-1, "
            f"got {len(pre_activations)} for {len(weights)} weights",
            argument="pre_activations",
        )
    product, log_scale = weights[0], 0.0
    for layer, (weight, h) in enumerate(
        zip(weights[1:], pre_activations, strict=False), start=1
    ):
        if h.shape != product.shape[:1] or weight.shape[1:] != h.shape:
            raise InvalidValueError(
                f"layer {layer} has {product.shape[0]} units and the "
                f"next weight {weight.shape[1]} inputs, got {h.size} numbers",
                argument="pre_activations",
            )
        product = weight @ (derivative(h)[:, None] * product)
        # Deep products leave the range of floats long before their ratios do.
        size = float(np.abs(product).max()) or 1.0
        product, log_scale = product / size, log_scale + np.log(size)
    return np.linalg.svd(product, compute_uv=False) * np.exp(log_scale)
