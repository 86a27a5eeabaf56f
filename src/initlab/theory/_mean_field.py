"""What becomes of signals and gradients in a deep wide network, in eight numbers."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from initlab.theory._checks import Number, checked_activation, checked_number
from initlab.theory._correlation import correlation_fixed_point
from initlab.theory._fixed_points import variance_fixed_point
from initlab.theory._moments import second_moment_growth, slope_moment

Phase = Literal["ordered", "critical", "chaotic"]
PHASES: tuple[Phase, ...] = get_args(Phase)

# chi_1 follows from q*, which is known to about ten digits where it attracts weakly.
CRITICAL_WITHIN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanField:
    """The fixed points of a deep wide network, and how fast they are reached.

    Attributes:
        q_star: Variance of pre-activations in deep layers; may be 0 or infinite.
        chi_1: Factor of the squared gradient per layer at q*: 1 is critical, below
            ordered, above chaotic.
        chi_par: Factor of a small error of q per layer at q*.
        xi_q: Layers in which such an error falls by e: -1 / ln chi_par; infinite where
            it does not fall exponentially.
        c_star: Correlation of two inputs in deep layers; nan where the layers keep
            whatever it is, as linear ones do.
        xi_c: Layers in which the distance to c* falls by e: -1 / ln chi_1 in the
            ordered phase, with the slope of the correlation map at c* in the chaotic
            one; infinite where it does not fall exponentially.
        phase: `"ordered"`, `"critical"` or `"chaotic"`, by chi_1.
    """

    q_star: float
    chi_1: float
    chi_par: float
    xi_q: float
    c_star: float
    xi_c: float
    phase: Phase


def mean_field(
    activation: str,
    *,
    weight_variance: Number,
    bias_variance: Number = 0.0,
    start: Number = 1.0,
) -> MeanField:
    """Predict a deep wide network with these variances in every layer.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variance: fan_in times the variance of an entry; above 0. He: 2.
        bias_variance: 0 or more.
        start: Variance of the first pre-activations, which decides where there are
            several fixed points; above 0.

    Raises:
        UnknownNameError: If the activation is unknown.
        InvalidValueError: If a variance is out of range, or q* of a bounded activation
            beyond 1e15.

    Example:
        >>> tanh = mean_field("tanh", weight_variance=1.5, bias_variance=0.1)
        >>> round(tanh.q_star, 4), round(tanh.chi_1, 4), tanh.phase
        (0.5202, 0.8775, 'ordered')
        >>> round(mean_field("relu", weight_variance=1 / 3).xi_c, 3)
        0.558

    Where q* is 0, xi_c is the depth scale of gradients and distances; ReLU's cosine,
    which does not depend on the scale, then moves more slowly.

    References:
        Schoenholz et al. (2017), section 3, https://arxiv.org/abs/1611.01232
    """
    checked_activation(activation)
    weight = checked_number("weight_variance", weight_variance, above=0.0)
    bias = checked_number("bias_variance", bias_variance, at_least=0.0)
    q_star = float(
        variance_fixed_point(
            activation, weight_variance=weight, bias_variance=bias, start=start
        )
    )
    chi_1 = weight * float(slope_moment(activation, q_star))
    chi_par = weight * float(second_moment_growth(activation, q_star))
    phase = phase_of(chi_1)
    c_star, slope = 1.0, chi_1
    if phase != "ordered" and math.isinf(q_star):
        # Relative to the growing variance, the map's slope at 1 tends to 1.
        slope = 1.0
    elif phase == "chaotic":
        c_star, slope = correlation_fixed_point(
            activation, q=q_star, weight_variance=weight, bias_variance=bias
        )
    if activation == "identity" and (bias == 0 or math.isinf(q_star)):
        c_star = math.nan
    return MeanField(
        q_star=q_star,
        chi_1=chi_1,
        chi_par=chi_par,
        xi_q=depth_scale(chi_par),
        c_star=c_star,
        xi_c=depth_scale(slope),
        phase=phase,
    )


def phase_of(chi_1: float) -> Phase:
    """Name the phase; within 1e-9 of 1 it is critical.

    Example:
        >>> phase_of(0.5)
        'ordered'
    """
    if abs(chi_1 - 1) <= CRITICAL_WITHIN:
        return "critical"
    return "ordered" if chi_1 < 1 else "chaotic"


def depth_scale(factor: float) -> float:
    """Layers in which what is multiplied by the factor falls by e; may be infinite.

    Example:
        >>> round(depth_scale(0.5), 2), depth_scale(1.1)
        (1.44, inf)
    """
    if factor >= 1 - CRITICAL_WITHIN:
        return math.inf
    return -1 / math.log(factor) if factor > 0 else 0.0
