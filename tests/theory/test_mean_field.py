"""Fixed points, phases and depth scales: golden values, limits and laws."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from initlab import theory
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import ACTIVATION_NAMES

every_activation = pytest.mark.parametrize("name", ACTIVATION_NAMES)


@pytest.mark.parametrize(
    ("name", "weight", "bias", "chi_1", "xi_c"),
    [
        ("relu", 1 / 3, 0.0, 1 / 6, 0.558),  # torch's nn.Linear
        ("relu", 1 / 3, 1 / 300, 1 / 6, 0.558),
        ("relu", 1.0, 0.0, 0.5, 1.44),  # LeCun
        ("relu", 2.0, 0.0, 1.0, math.inf),  # He
        ("tanh", 1.0, 0.0, 1.0, math.inf),
        ("gelu", 2.0, 0.0, 0.5, 1.44),
        ("silu", 2.0, 0.0, 0.5, 1.44),
    ],
)
def test_defaults_of_frameworks_have_the_golden_chi_1_and_xi_c(
    name, weight, bias, chi_1, xi_c
):
    found = theory.mean_field(name, weight_variance=weight, bias_variance=bias)

    assert found.chi_1 == pytest.approx(chi_1, rel=1e-9)
    assert found.xi_c == pytest.approx(xi_c, abs=5e-3)
    assert found.c_star == 1
    assert found.phase == ("ordered" if chi_1 < 1 else "critical")


def test_he_on_tanh_is_chaotic_but_not_fatally():
    found = theory.mean_field("tanh", weight_variance=2.0)

    assert found.chi_1 == pytest.approx(1.106, abs=5e-4)
    assert found.phase == "chaotic"
    assert math.sqrt(found.chi_1) == pytest.approx(1.052, abs=1e-3)
    assert found.chi_1**25 == pytest.approx(12, abs=0.5)
    assert found.c_star == 0


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_he_on_gelu_and_silu_dies_out(name):
    assert theory.mean_field(name, weight_variance=2.0).q_star == 0


@every_activation
@settings(max_examples=12, deadline=None)
@given(weight=st.floats(0.05, 6), bias=st.floats(1e-6, 2), start=st.floats(1e-3, 1e3))
def test_q_star_is_a_fixed_point_that_attracts(name, weight, bias, start):
    q = float(
        theory.variance_fixed_point(
            name, weight_variance=weight, bias_variance=bias, start=start
        )
    )

    if math.isinf(q):
        # Then it grows from anywhere above the start.
        beyond = np.geomspace(start, 1e12, 60)
        # Rounding hides a growth of less than 1e-13 of q.
        mapped = weight * theory.second_moment(name, beyond) + bias
        assert (mapped >= beyond * (1 - 1e-12)).all()
    else:
        kept = weight * float(theory.second_moment(name, q)) + bias
        assert kept == pytest.approx(q, rel=1e-9)
        assert weight * float(theory.second_moment_growth(name, q)) <= 1 + 1e-6


@every_activation
@pytest.mark.parametrize(("weight", "bias"), [(0.7, 0.0), (1.4, 0.05), (2.6, 0.3)])
@pytest.mark.parametrize("start", [1e-2, 1.0, 20.0])
def test_q_star_is_where_the_iteration_leads(name, weight, bias, start):
    found = float(
        theory.variance_fixed_point(
            name, weight_variance=weight, bias_variance=bias, start=start
        )
    )

    q = theory.layer_variances(
        name,
        weight_variances=[1.0, *[weight] * 150],
        bias_variances=[0.0, *[bias] * 150],
        input_second_moment=start,
    )[-1]

    if math.isinf(found):
        assert q > 1e8
    elif found == 0:
        assert q < 1e-8
    else:
        assert q == pytest.approx(found, rel=1e-4)


def test_variances_broadcast_and_agree_with_one_at_a_time():
    weights, biases = np.array([[0.5], [1.5], [2.5]]), np.array([0.0, 0.1])

    together = theory.variance_fixed_point(
        "silu", weight_variance=weights, bias_variance=biases
    )

    assert together.shape == (3, 2)
    for i, weight in enumerate(weights[:, 0]):
        for j, bias in enumerate(biases):
            alone = theory.variance_fixed_point(
                "silu", weight_variance=float(weight), bias_variance=float(bias)
            )
            assert together[i, j] == pytest.approx(float(alone), rel=1e-12)


def test_the_start_decides_between_two_fates():
    # Beside GELU's critical line below its half-stable point: a fixed point attracts
    # small variances, larger ones grow without end.
    low, high = (
        theory.mean_field("gelu", weight_variance=2.1, bias_variance=0.05, start=start)
        for start in (0.1, 1e3)
    )

    assert (low.phase, high.phase) == ("ordered", "chaotic")
    assert low.q_star < 1
    assert math.isinf(high.q_star)


@pytest.mark.parametrize(
    ("name", "weight", "expected"),
    [("relu", 2.0, 3.5), ("identity", 1.0, 3.5), ("relu", 2.1, math.inf)],
)
def test_scale_invariant_layers_keep_any_variance_or_none(name, weight, expected):
    found = theory.mean_field(name, weight_variance=weight, start=3.5)

    assert found.q_star == expected


def test_a_bias_at_hes_variance_lets_the_variance_grow_for_ever():
    found = theory.mean_field("relu", weight_variance=2.0, bias_variance=0.1)

    assert (found.q_star, found.phase) == (math.inf, "critical")


@pytest.mark.parametrize("c", [-1.0, -0.5, 0.0, 0.3, 0.9, 0.999, 1.0])
def test_relus_correlation_map_is_the_arc_cosine(c):
    expected = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi

    actual = theory.correlation_map("relu", c, q=3.0, weight_variance=2.0)

    assert float(actual) == pytest.approx(expected, abs=1e-9)


@every_activation
@settings(max_examples=6, deadline=None)
@given(q=st.floats(0.01, 100), weight=st.floats(0.1, 5), bias=st.floats(0, 1))
def test_the_correlation_map_keeps_1_with_slope_chi_1(name, q, weight, bias):
    arguments = {"q": q, "weight_variance": weight, "bias_variance": bias}
    distance = 1e-7

    ends = theory.correlation_map(name, [1.0 - distance, 1.0], **arguments)

    following = weight * float(theory.second_moment(name, q)) + bias
    chi = weight * float(theory.slope_moment(name, q)) * q / following
    assert ends[1] == 1
    # Kinks of f' take the square root of the distance times sqrt(q) from the slope,
    # and 1 - c of one in ten million has nine digits.
    tolerance = 1e-7 + 2 * math.sqrt(distance * max(q, 1)) * chi
    assert (1 - ends[0]) / distance == pytest.approx(chi, abs=tolerance)


@pytest.mark.parametrize(
    ("name", "weight", "bias"),
    [
        ("tanh", 3.0, 0.1), ("erf", 2.0, 0.05), ("selu", 1.0, 0.05), ("sin", 3.0, 0.2),
        ("sigmoid", 200.0, 1.0), ("tanh", 1.5, 0.1), ("elu", 1.2, 0.1),
    ],
)  # fmt: skip
def test_correlations_approach_c_star_at_the_rate_of_xi_c(name, weight, bias):
    field = theory.mean_field(name, weight_variance=weight, bias_variance=bias)
    first = field.c_star - 1e-3
    layers = max(round(field.xi_c), 2)

    c = first
    for _ in range(layers):
        c = float(
            theory.correlation_map(
                name,
                c,
                q=field.q_star,
                weight_variance=weight,
                bias_variance=bias,
            )
        )

    # The map bends a little over a thousandth.
    left = (field.c_star - c) / (field.c_star - first)
    assert left == pytest.approx(math.exp(-layers / field.xi_c), rel=0.02)


def test_inputs_stay_as_alike_as_they_are_where_nothing_bends():
    assert math.isnan(theory.mean_field("identity", weight_variance=0.5).c_star)


def test_c_star_is_0_for_odd_activations_without_biases():
    for name in ("tanh", "erf", "sin"):
        assert theory.mean_field(name, weight_variance=4.0).c_star == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight_variance": 0.0}, "weight_variance: give finite numbers above 0, got"),
        ({"weight_variance": math.inf}, "weight_variance: give finite numbers above 0"),
        (
            {"weight_variance": 1.0, "bias_variance": -0.1},
            "bias_variance: give finite numbers at least 0, got -0.1",
        ),
        ({"weight_variance": 1.0, "start": 0.0}, "start: give finite numbers above 0"),
    ],
)
def test_variances_out_of_range_are_refused(arguments, message):
    with pytest.raises(InvalidValueError, match=message):
        theory.mean_field("tanh", **arguments)


def test_an_unknown_activation_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'silu'"):
        theory.mean_field("slu", weight_variance=1.0)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "erf", "sin"])
def test_what_is_bounded_never_explodes(name):
    field = theory.mean_field(name, weight_variance=1e14)
    assert math.isfinite(field.q_star)
    assert field.phase == "chaotic"
    with pytest.raises(InvalidValueError, match=r"q\* would be beyond 1e\+15"):
        theory.mean_field(name, weight_variance=1e17)
    assert theory.mean_field("relu", weight_variance=1e17).q_star == math.inf
