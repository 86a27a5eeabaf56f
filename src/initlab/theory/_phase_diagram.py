"""The plane of weight and bias variances: where networks are ordered, where chaotic."""

from typing import TYPE_CHECKING

import numpy as np

from initlab.theory._checks import Numbers, checked_activation, checked_layers
from initlab.theory._critical import critical_line
from initlab.theory._fixed_points import variance_fixed_point
from initlab.theory._mean_field import CRITICAL_WITHIN, PHASES
from initlab.theory._moments import second_moment_growth, slope_moment

if TYPE_CHECKING:
    import xarray

_WEIGHTS = np.linspace(0.05, 4.0, 80)
_BIASES = np.linspace(0.0, 0.5, 81)
# The critical line is closed to the eye: 80 points a decade of q.
_LINE = np.geomspace(1e-6, 1e6, 961)


def phase_diagram(
    activation: str,
    *,
    weight_variances: Numbers = _WEIGHTS,
    bias_variances: Numbers = _BIASES,
    start: float = 1.0,
) -> "xarray.Dataset":
    """Mean-field predictions on a grid of weight and bias variances.

    `figures.phase_diagram` draws it, with initializers marked.

    Args:
        activation: One of `initlab.spec.ACTIVATION_NAMES`.
        weight_variances: Columns: fan_in times the variance of an entry; above 0.
        bias_variances: Rows; 0 or more.
        start: Variance of the first pre-activations; above 0.

    Returns:
        Dataset over `weight_variance` and `bias_variance` with `q_star`, `chi_1`,
        `chi_par` and `phase`, and the points of the critical line that are within the
        grid, and their neighbours, in the order of their q: `critical_weight_variance`,
        `critical_bias_variance`, `critical_q`, `critical_chi_par` over `point`.

    Raises:
        UnknownNameError: If the activation is unknown.
        InvalidValueError: If a variance is out of range.

    Example:
        >>> diagram = phase_diagram(
        ...     "tanh", weight_variances=[0.5, 2.0], bias_variances=[0.0]
        ... )
        >>> diagram.phase.values.ravel().tolist()
        ['ordered', 'chaotic']

    References:
        Poole et al. (2016), figure 1, https://arxiv.org/abs/1606.05340
        Schoenholz et al. (2017), figure 1, https://arxiv.org/abs/1611.01232
    """
    import xarray as xr  # a quarter of a second, for this function only

    checked_activation(activation)
    weights = checked_layers("weight_variances", weight_variances, above=0.0)
    biases = checked_layers("bias_variances", bias_variances, at_least=0.0)
    q_star = variance_fixed_point(
        activation,
        weight_variance=weights[:, None],
        bias_variance=biases,
        start=start,
    )
    chi_1 = weights[:, None] * slope_moment(activation, q_star)
    chi_par = weights[:, None] * second_moment_growth(activation, q_star)
    line = _within(critical_line(activation, _LINE), weights, biases)
    plane = ("weight_variance", "bias_variance")
    return xr.Dataset(
        {
            "q_star": (plane, q_star, {"long_name": "variance of pre-activations"}),
            "chi_1": (plane, chi_1, {"long_name": "factor of squared gradient"}),
            "chi_par": (plane, chi_par, {"long_name": "factor of errors of q"}),
            "phase": (plane, _phases(chi_1)),
            "critical_weight_variance": ("point", line[:, 0]),
            "critical_bias_variance": ("point", line[:, 1]),
            "critical_q": ("point", line[:, 2]),
            "critical_chi_par": (
                "point",
                line[:, 0] * second_moment_growth(activation, line[:, 2]),
            ),
        },
        coords={
            "weight_variance": (
                "weight_variance", weights, {"long_name": "fan_in times Var w"},
            ),
            "bias_variance": ("bias_variance", biases, {"long_name": "Var b"}),
        },
        attrs={"activation": activation, "start": float(start)},
    )  # fmt: skip


def _phases(chi_1: np.ndarray) -> np.ndarray:
    ordered, critical, chaotic = PHASES
    near = np.abs(chi_1 - 1) <= CRITICAL_WITHIN
    return np.select([near, chi_1 < 1], [critical, ordered], chaotic)


def _within(line: np.ndarray, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
    inside = (line[:, 0] >= weights.min()) & (line[:, 0] <= weights.max())
    inside &= (line[:, 1] >= biases.min()) & (line[:, 1] <= biases.max())
    near = inside.copy()
    near[1:] |= inside[:-1]
    near[:-1] |= inside[1:]
    return line[near]
