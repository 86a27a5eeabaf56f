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

from initlab.theory._budgets import (
    GradientBudget,
    correlation_budget,
    correlation_rates,
    gradient_budget,
)
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
from initlab.theory._finite_width import (
    WIDTH_SUM_LIMIT,
    backward_log_variances,
    forward_log_variances,
    log_normal_band,
    width_sum,
)
from initlab.theory._fixed_points import (
    variance_fixed_point,
)
from initlab.theory._gain import (
    DEFINITIONS,
    Definition,
    gain,
)
from initlab.theory._inactive import (
    born_dead_bound,
    orthant_probability,
)
from initlab.theory._jacobian import (
    Ensemble,
    JacobianSpectrum,
    jacobian_singular_values,
    jacobian_spectrum,
)
from initlab.theory._layers import (
    Signal,
    backward_factors,
    layer_correlations,
    layer_variances,
    predict_signal,
    weight_gradient_factors,
)
from initlab.theory._mean_field import (
    PHASES,
    MeanField,
    Phase,
    depth_scale,
    mean_field,
    phase_of,
)
from initlab.theory._moments import (
    activation_mean,
    activation_std,
    second_moment,
    second_moment_growth,
    slope_moment,
)
from initlab.theory._phase_diagram import (
    phase_diagram,
)

__all__ = [
    "DEFINITIONS",
    "PHASES",
    "WIDTH_SUM_LIMIT",
    "Critical",
    "Definition",
    "Ensemble",
    "GradientBudget",
    "JacobianSpectrum",
    "MeanField",
    "Phase",
    "Signal",
    "activation_mean",
    "activation_std",
    "backward_factors",
    "backward_log_variances",
    "born_dead_bound",
    "correlation_budget",
    "correlation_fixed_point",
    "correlation_map",
    "correlation_rates",
    "critical",
    "critical_line",
    "critical_start",
    "depth_scale",
    "forward_log_variances",
    "gain",
    "gradient_budget",
    "half_stable_point",
    "jacobian_singular_values",
    "jacobian_spectrum",
    "layer_correlations",
    "layer_variances",
    "log_normal_band",
    "mean_field",
    "orthant_probability",
    "phase_diagram",
    "phase_of",
    "predict_signal",
    "product_moment",
    "second_moment",
    "second_moment_growth",
    "slope_moment",
    "slope_product_moment",
    "variance_fixed_point",
    "weight_gradient_factors",
    "width_sum",
]
