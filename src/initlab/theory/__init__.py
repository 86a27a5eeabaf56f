"""What starting weights should do: closed forms, and quadrature where there are none.

    >>> from initlab import theory
    >>> round(theory.gain("gelu"), 4)
    1.5335
    >>> theory.critical("relu").weight_variance
    2.0
    >>> round(theory.mean_field("tanh", weight_variance=2.0).chi_1, 3)
    1.106

Networks are wide, fully connected, with independent weights of mean 0; a weight
variance is fan_in times the variance of an entry. Functions of q, the variance of
pre-activations, give arrays of the shape of q.
"""

from initlab.theory._correlation import (
    correlation_fixed_point,
    correlation_map,
    product_moment,
    slope_product_moment,
)
from initlab.theory._critical import (
    Critical,
    critical,
    critical_line,
    critical_start,
    half_stable_point,
)
from initlab.theory._fixed_points import variance_fixed_point
from initlab.theory._gain import DEFINITIONS, Definition, gain
from initlab.theory._layers import (
    Signal,
    backward_factors,
    layer_correlations,
    layer_variances,
    predict_signal,
    weight_gradient_factors,
)
from initlab.theory._mean_field import PHASES, MeanField, Phase, mean_field
from initlab.theory._moments import (
    activation_mean,
    activation_std,
    second_moment,
    second_moment_growth,
    slope_moment,
)

__all__ = [
    "DEFINITIONS",
    "PHASES",
    "Critical",
    "Definition",
    "MeanField",
    "Phase",
    "Signal",
    "activation_mean",
    "activation_std",
    "backward_factors",
    "correlation_fixed_point",
    "correlation_map",
    "critical",
    "critical_line",
    "critical_start",
    "gain",
    "half_stable_point",
    "layer_correlations",
    "layer_variances",
    "mean_field",
    "predict_signal",
    "product_moment",
    "second_moment",
    "second_moment_growth",
    "slope_moment",
    "slope_product_moment",
    "variance_fixed_point",
    "weight_gradient_factors",
]
