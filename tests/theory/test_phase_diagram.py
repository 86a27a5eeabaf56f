"""The phase diagram as a dataset."""

import numpy as np
import pytest

from initlab import theory
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import ACTIVATION_NAMES


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "sigmoid"])
def test_every_cell_is_what_mean_field_says(name):
    diagram = theory.phase_diagram(
        name, weight_variances=[0.5, 1.9, 2.3], bias_variances=[0.0, 0.2]
    )

    assert diagram.sizes["weight_variance"] == 3
    for weight in diagram.weight_variance.values:
        for bias in diagram.bias_variance.values:
            cell = diagram.sel(weight_variance=weight, bias_variance=bias)
            field = theory.mean_field(
                name, weight_variance=float(weight), bias_variance=float(bias)
            )
            assert float(cell.q_star) == pytest.approx(field.q_star, rel=1e-9)
            assert float(cell.chi_1) == pytest.approx(field.chi_1, rel=1e-9)
            assert float(cell.chi_par) == pytest.approx(field.chi_par, rel=1e-9)
            assert str(cell.phase.values) == field.phase


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_points_of_the_line_are_critical(name):
    diagram = theory.phase_diagram(name, bias_variances=np.linspace(0, 0.5, 5))

    q = diagram.critical_q.values
    weight = diagram.critical_weight_variance.values
    np.testing.assert_allclose(weight * theory.slope_moment(name, q), 1, rtol=1e-12)
    assert (diagram.critical_bias_variance.values >= 0).all()
    assert bool(q.size) == (name not in ("sigmoid", "softplus"))


def test_the_line_parts_the_phases_of_tanh():
    diagram = theory.phase_diagram("tanh")

    for bias in diagram.bias_variance.values[1::10]:
        at = np.interp(
            bias, diagram.critical_bias_variance, diagram.critical_weight_variance
        )
        row = diagram.phase.sel(bias_variance=bias)
        # Beside the line: the interpolation is good to less than a cell.
        below = row.where(row.weight_variance < at - 0.02, drop=True)
        above = row.where(row.weight_variance > at + 0.02, drop=True)
        assert (below == "ordered").all()
        assert (above == "chaotic").all()


def test_bad_grids_are_refused():
    with pytest.raises(UnknownNameError, match="unknown activation 'rel'"):
        theory.phase_diagram("rel")
    with pytest.raises(
        InvalidValueError, match="weight_variances: give finite numbers"
    ):
        theory.phase_diagram("relu", weight_variances=[0.0, 1.0])
