"""Predictions layer by layer: wide networks, each layer at its own variance.

Layer 0 is the input; layers 1 to L have weights. The last layer's pre-activations are
the outputs. `weight_variances` are fan_in times the variance of an entry, per layer.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from initlab.theory._checks import (
    Number,
    Numbers,
    checked_activation,
    checked_layers,
    checked_number,
)
from initlab.theory._correlation import half_difference
from initlab.theory._moments import (
    activation_mean,
    activation_std,
    second_moment,
    slope_moment,
)

PerLayer = Float[np.ndarray, "layer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a wide network is expected to do, at layers 1 to L.

    Attributes:
        variance: q of the pre-activations: their second moment over units.
        mean: Of the activations f(pre-activations).
        second_moment: Of the activations.
        std: Of the activations.
        chi: Factor of the squared norm of gradients from the pre-activations of the
            next layer to those of this one; nan at the last layer.
        gradient: Squared norm of the gradient by the pre-activations, relative to the
            last layer's.
        correlation: Of the pre-activations of two inputs, cov / q; nan without
            `input_cosine`.
        cosine: Of the activations of two inputs, E f f / E f^2; nan without
            `input_cosine`.
    """

    variance: PerLayer
    mean: PerLayer
    second_moment: PerLayer
    std: PerLayer
    chi: PerLayer
    gradient: PerLayer
    correlation: PerLayer
    cosine: PerLayer


def predict_signal(
    activation: str,
    *,
    weight_variances: Numbers,
    bias_variances: Numbers = 0.0,
    input_second_moment: Number = 1.0,
    input_cosine: Number | None = None,
) -> Signal:
    """Predict activations, gradients and cosines of every layer.

    Exact in the limit of infinite width; `forward_log_variances` and
    `backward_log_variances` say how far a narrow network may be off.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`, in every layer but, for
            gradients, the last one, whose outputs are its pre-activations.
        weight_variances: fan_in times the variance of an entry, one per layer.
        bias_variances: One per layer, or one for all.
        input_second_moment: Mean of x^2 over the features, above 0.
        input_cosine: Cosine of two inputs with that second moment, from -1 to 1.

    Raises:
        UnknownNameError: If the activation is unknown.
        InvalidValueError: If a number is out of range, or the layers disagree.

    Example:
        >>> signal = predict_signal("relu", weight_variances=[1.0, 1.0, 1.0])
        >>> signal.variance, signal.gradient
        (array([1.  , 0.5 , 0.25]), array([0.25, 0.5 , 1.  ]))

    References:
        Poole et al. (2016), eqs. 3 and 5, https://arxiv.org/abs/1606.05340
        Schoenholz et al. (2017), section 4, https://arxiv.org/abs/1611.01232
    """
    q = layer_variances(
        activation,
        weight_variances=weight_variances,
        bias_variances=bias_variances,
        input_second_moment=input_second_moment,
    )
    chi = backward_factors(activation, weight_variances=weight_variances, variances=q)
    correlation = cosine = np.full(len(q), np.nan)
    if input_cosine is not None:
        correlation, cosine = layer_correlations(
            activation,
            weight_variances=weight_variances,
            bias_variances=bias_variances,
            input_second_moment=input_second_moment,
            input_cosine=input_cosine,
        )
    return Signal(
        variance=q,
        mean=activation_mean(activation, q),
        second_moment=second_moment(activation, q),
        std=activation_std(activation, q),
        chi=np.append(chi, np.nan),
        gradient=np.append(np.cumprod(chi[::-1])[::-1], 1.0),
        correlation=correlation,
        cosine=cosine,
    )


def layer_variances(
    activation: str,
    *,
    weight_variances: Numbers,
    bias_variances: Numbers = 0.0,
    input_second_moment: Number = 1.0,
) -> PerLayer:
    """q_l = weight_variance_l G(q_(l-1)) + bias_variance_l, with the input for G(q_0).

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variances: fan_in times the variance of an entry, one per layer.
        bias_variances: One per layer, or one for all.
        input_second_moment: Mean of x^2 over the features, 0 or more.

    Example:
        >>> layer_variances("relu", weight_variances=[2.0, 2.0], bias_variances=0.5)
        array([2.5, 3. ])
    """
    checked_activation(activation)
    weights, biases = _layers(weight_variances, bias_variances)
    carried = checked_number("input_second_moment", input_second_moment, at_least=0.0)
    q = np.empty(len(weights))
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        q[layer] = weight * carried + bias
        carried = float(second_moment(activation, q[layer]))
    return q


def backward_factors(
    activation: str, *, weight_variances: Numbers, variances: Numbers
) -> Float[np.ndarray, "link"]:
    """chi_l = weight_variance_(l+1) D(q_l): from layer l+1 to l, for l = 1 to L-1.

    The factor of the squared norm of the gradient by the pre-activations, which is a
    sum over units, so that changing widths do not enter.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variances: fan_in times the variance of an entry, one per layer.
        variances: q of every layer, as from `layer_variances`.

    Example:
        >>> backward_factors("relu", weight_variances=[2.0, 1.0], variances=[1.0, 0.5])
        array([0.5])
    """
    checked_activation(activation)
    weights = checked_layers("weight_variances", weight_variances, at_least=0.0)
    q = checked_layers("variances", variances, len(weights), at_least=0.0)
    return weights[1:] * slope_moment(activation, q[:-1])


def layer_correlations(
    activation: str,
    *,
    weight_variances: Numbers,
    input_cosine: Number,
    bias_variances: Numbers = 0.0,
    input_second_moment: Number = 1.0,
) -> tuple[PerLayer, PerLayer]:
    """How alike two inputs are in every layer, by the correlation map at its own q.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variances: fan_in times the variance of an entry, one per layer.
        input_cosine: Of the two inputs, from -1 to 1.
        bias_variances: One per layer, or one for all.
        input_second_moment: Mean of x^2 over the features, of both; above 0.

    Returns:
        The correlation of the pre-activations, cov / q (their expected cosine, biases
        included), and the cosine of the activations, E f(u) f(v) / E f(u)^2.

    Example:
        >>> of_h, of_f = layer_correlations(
        ...     "relu", weight_variances=[2.0, 2.0], input_cosine=0.0
        ... )
        >>> of_h.round(4), of_f.round(4)
        (array([0.    , 0.3183]), array([0.3183, 0.4937]))

    References:
        Poole et al. (2016), eq. 5, https://arxiv.org/abs/1606.05340
    """
    checked_activation(activation)
    weights, biases = _layers(weight_variances, bias_variances)
    carried = checked_number("input_second_moment", input_second_moment, above=0.0)
    cosine = checked_number("input_cosine", input_cosine, at_least=-1.0, at_most=1.0)
    # What two inputs differ by: half the mean squared difference.
    lost = carried * (1 - cosine)
    found = np.empty((2, len(weights)))
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        q = weight * carried + bias
        distance = min(weight * lost / q, 2.0) if q > 0 else 0.0
        carried = float(second_moment(activation, q))
        lost = half_difference(activation, q, 1 - distance, distance)
        found[:, layer] = 1 - distance, 1 - lost / carried if carried > 0 else 1.0
    return found[0], found[1]


def weight_gradient_factors(
    signal: Signal, *, fan_ins: Numbers, input_second_moment: Number = 1.0
) -> PerLayer:
    """Squared Frobenius norm of each weight's gradient, relative to the last layer's.

    For one example it is the product of two squared norms: of the gradient by the
    layer's pre-activations, and of the layer's inputs, fan_in times their second
    moment.

    Args:
        signal: From `predict_signal`.
        fan_ins: One per layer.
        input_second_moment: Mean of x^2 over the features, 0 or more.

    Example:
        >>> signal = predict_signal("relu", weight_variances=[2.0, 2.0, 2.0])
        >>> weight_gradient_factors(signal, fan_ins=[10, 20, 20])
        array([0.5, 1. , 1. ])
    """
    fans = checked_layers("fan_ins", fan_ins, len(signal.variance), above=0.0)
    carried = checked_number("input_second_moment", input_second_moment, at_least=0.0)
    squares = fans * np.append(carried, signal.second_moment[:-1])
    product = signal.gradient * squares
    return product / product[-1]


def _layers(
    weight_variances: Numbers, bias_variances: Numbers
) -> tuple[PerLayer, PerLayer]:
    weights = checked_layers("weight_variances", weight_variances, at_least=0.0)
    biases = checked_layers(
        "bias_variances", bias_variances, len(weights), at_least=0.0
    )
    return weights, biases
