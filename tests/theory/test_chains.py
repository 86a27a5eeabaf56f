"""Budgets over chains, Jacobians, and units that say nothing."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from initlab import theory
from initlab.activations import ACTIVATIONS
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.theory import _correlation
from initlab.theory._correlation import half_difference

STANDARD_ERRORS = 4


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=12))
def test_the_budget_is_the_largest_of_all_stretches(factors):
    logs = np.log(factors)
    stretches = [
        abs(logs[i:j].sum())
        for i in range(len(logs))
        for j in range(i + 1, len(logs) + 1)
    ]

    budget = theory.gradient_budget(factors)

    assert budget.total == pytest.approx(logs.sum(), abs=1e-12)
    assert budget.largest == pytest.approx(max(stretches), abs=1e-12)
    stretch = logs[budget.first - 1 : budget.last - 1].sum()
    assert abs(stretch) == pytest.approx(budget.largest, abs=1e-12)
    assert budget.sign == np.sign(stretch) or budget.largest < 1e-12


def test_factors_that_cancel_later_are_seen():
    budget = theory.gradient_budget([1.0, 2.0, 2.0, 0.5, 0.5, 1.0])

    assert budget.total == 0
    assert budget.largest == pytest.approx(2 * math.log(2))


def test_a_layer_that_stops_gradients_is_an_infinite_budget():
    budget = theory.gradient_budget([2.0, 0.0, 2.0])

    assert (budget.largest, budget.sign) == (math.inf, -1)


@pytest.mark.parametrize(("start", "golden"), [(1.0, -2.9), (2.0, -0.7)])
def test_he_on_gelu_costs_what_the_golden_values_say(start, golden):
    # Ten layers, each at its own q; from the fixed point q = 0 it would be -6.9.
    q = theory.layer_variances(
        "gelu",
        weight_variances=[1.0, *[2.0] * 10],
        input_second_moment=start,
    )
    chi = theory.backward_factors(
        "gelu", weight_variances=[1.0, *[2.0] * 10], variances=q
    )

    assert len(chi) == 10
    assert theory.gradient_budget(chi).total == pytest.approx(golden, abs=0.05)
    at_zero = 10 * math.log(2 * float(theory.slope_moment("gelu", 0.0)))
    assert at_zero == pytest.approx(-6.9, abs=0.05)


@pytest.mark.parametrize(
    ("name", "weight", "bias"),
    [("tanh", 1.5, 0.1), ("tanh", 3.0, 0.1), ("selu", 1.0, 0.1)],
)
def test_the_correlation_budget_at_the_fixed_point_is_depth_over_xi_c(
    name, weight, bias
):
    field = theory.mean_field(name, weight_variance=weight, bias_variance=bias)
    layers = 6

    budget = theory.correlation_budget(
        name,
        weight_variances=[weight] * layers,
        bias_variances=bias,
        variances=[field.q_star] * layers,
    )

    assert budget == pytest.approx((layers - 1) / field.xi_c, rel=1e-9)


def draw_jacobian(name, ensemble, weight, q, *, width, depth, seed):
    rng = np.random.default_rng(seed)
    h = rng.normal(0, math.sqrt(q), width)
    weights, pre_activations = [np.eye(width)], [h]
    for _ in range(depth):
        w = rng.normal(0, math.sqrt(weight / width), (width, width))
        if ensemble == "orthogonal":
            w = math.sqrt(weight) * np.linalg.qr(w)[0]
        weights.append(w)
        pre_activations.append(w @ ACTIVATIONS[name].f(pre_activations[-1]))
    return theory.jacobian_singular_values(name, weights, pre_activations)


@pytest.mark.parametrize("ensemble", ["gaussian", "orthogonal"])
@pytest.mark.parametrize(("name", "weight", "q"), [("relu", 2.0, 1.0), ("sin", 2.0, 0)])
def test_singular_values_of_drawn_networks_spread_as_predicted(
    name, weight, q, ensemble
):
    depth, width, networks = 4, 300, 6
    q = theory.mean_field(name, weight_variance=weight).q_star
    predicted = theory.jacobian_spectrum(
        name, q=q, depth=depth, weight_variance=weight, ensemble=ensemble
    )

    squares = [
        draw_jacobian(name, ensemble, weight, q, width=width, depth=depth, seed=i) ** 2
        for i in range(networks)
    ]

    means = np.array([one.mean() for one in squares])
    spreads = np.array([one.var() / one.mean() ** 2 for one in squares])
    for samples, expected in (
        (means, predicted.mean),
        (spreads, predicted.relative_variance),
    ):
        error = samples.std(ddof=1) / math.sqrt(networks)
        # Plus a correction of the order of depth / width.
        tolerance = STANDARD_ERRORS * error + depth / width * expected
        assert samples.mean() == pytest.approx(expected, abs=tolerance)


def test_orthogonal_linear_networks_are_isometries():
    values = draw_jacobian(
        "identity", "orthogonal", 1.0, 1.0, width=20, depth=10, seed=0
    )
    spectrum = theory.jacobian_spectrum(
        "identity", q=1.0, depth=10, weight_variance=1.0, ensemble="orthogonal"
    )

    np.testing.assert_allclose(values, 1, rtol=1e-12)
    assert (spectrum.mean, spectrum.relative_variance) == (
        1,
        pytest.approx(0, abs=1e-12),
    )


def test_the_jacobian_is_the_derivative_by_differences():
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=shape) for shape in ((5, 3), (4, 5), (2, 4))]

    def forward(x):
        h = [weights[0] @ x]
        for weight in weights[1:]:
            h.append(weight @ np.tanh(h[-1]))
        return h

    x, step = rng.normal(size=3), 1e-6
    columns = [
        (forward(x + step * e)[-1] - forward(x - step * e)[-1]) / (2 * step)
        for e in np.eye(3)
    ]
    expected = np.linalg.svd(np.array(columns).T, compute_uv=False)

    actual = theory.jacobian_singular_values("tanh", weights, forward(x))

    np.testing.assert_allclose(actual, expected, rtol=1e-7)


def test_layers_of_a_jacobian_must_fit():
    with pytest.raises(
        InvalidValueError, match="pre_activations: give those of layers"
    ):
        theory.jacobian_singular_values("relu", [np.eye(2)] * 4, [np.ones(2)])
    with pytest.raises(InvalidValueError, match="pre_activations: layer 1 has 2 units"):
        theory.jacobian_singular_values("relu", [np.eye(2)] * 2, [np.ones(3)])
    with pytest.raises(UnknownNameError, match="unknown activation"):
        theory.jacobian_singular_values("rely", [np.eye(2)], [])


def test_one_network_in_nine_is_born_dead_at_most():
    assert theory.born_dead_bound([10, 5]) == pytest.approx(1 - (1 - 2**-10) * 31 / 32)
    assert theory.born_dead_bound([4, 4]) == pytest.approx(1 / 8.26, rel=1e-2)


def test_networks_are_born_dead_as_often_as_the_bound_for_one_input():
    rng = np.random.default_rng(2)
    widths, networks = (2, 3), 4000
    dead = 0
    for _ in range(networks):
        a = np.ones(3)
        for width in widths:
            a = np.maximum(rng.normal(size=(width, a.size)) @ a, 0)
        dead += not a.any()

    bound = theory.born_dead_bound(widths)

    error = math.sqrt(bound * (1 - bound) / networks)
    assert dead / networks == pytest.approx(bound, abs=STANDARD_ERRORS * error)


@pytest.mark.parametrize(("examples", "share"), [(8, 0.37), (128, 0.28)])
def test_inactive_units_at_depth_20_are_as_many_as_measured(examples, share):
    assert theory.orthant_probability(0.95, examples) == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("c", [0.0, 1e-9, 0.1, 0.5, 0.95, 1 - 1e-9, 1.0])
def test_orthants_of_two_and_three_have_closed_forms(c):
    two = theory.orthant_probability(c, 2)
    three = theory.orthant_probability(c, 3)

    assert two == pytest.approx(1 / 4 + math.asin(c) / (2 * math.pi), rel=1e-9)
    assert three == pytest.approx(1 / 8 + 3 * math.asin(c) / (4 * math.pi), rel=1e-9)


@pytest.mark.parametrize("examples", [1, 2, 10, 100, 1000])
def test_orthants_of_correlation_one_half_are_one_in_one_more(examples):
    # As likely as that the first of examples + 1 independent draws is the largest.
    actual = theory.orthant_probability(0.5, examples)

    assert actual == pytest.approx(1 / (examples + 1), rel=1e-9)


@pytest.mark.parametrize("examples", [1, 5, 60, 500])
def test_independent_examples_halve_the_orthant_each(examples):
    actual = theory.orthant_probability(0.0, examples)

    assert actual == pytest.approx(0.5**examples, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.orthant_probability(-0.1, 2), "correlation: give finite num"),
        (lambda: theory.orthant_probability(0.5, 0), "examples: give finite numbers"),
        (lambda: theory.born_dead_bound([0]), "widths: give finite numbers at least 1"),
        (lambda: theory.width_sum([]), "widths: give one number per layer, got"),
        (lambda: theory.gradient_budget([-1.0]), "factors: give finite numbers at"),
        (
            lambda: theory.log_normal_band(0.1, probability=0.0),
            "probability: give finite numbers above 0 at most 1, got 0.0",
        ),
    ],
)
def test_numbers_out_of_range_are_refused(call, message):
    with pytest.raises(InvalidValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
@pytest.mark.parametrize("distance", [1e-14, 1e-6, 4.9e-3, 5.1e-3, 0.1, 1.0, 1.999])
def test_rectifiers_differ_as_quadrature_has_it(name, distance):
    closed = half_difference(name, 2.0, 1 - distance, distance)
    by_quadrature = _correlation._pair(name, "f", 2.0, 1 - distance, distance)[1]

    assert closed == pytest.approx(by_quadrature, rel=1e-9)


def test_rectifiers_keep_all_digits_of_inputs_that_are_nearly_equal():
    # q/2 (1-c) for the first order, and less by the cube of the angle.
    angle = math.sqrt(2 * 1e-30)
    expected = 0.5e-30 - angle**3 / (6 * math.pi)

    assert half_difference("relu", 1.0, 1.0, 1e-30) == pytest.approx(
        expected, rel=1e-14
    )
