"""Moments: closed forms against quadrature, and quadrature against other methods."""

import inspect
from itertools import pairwise

import hypothesis.strategies as st
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import integrate, special

from initlab import theory
from initlab.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import ACTIVATION_NAMES
from initlab.theory import _closed_forms as closed
from initlab.theory import _quadrature as quadrature
from initlab.theory._checks import checked_array

# What the project promises of either form.
AGREEMENT = 1e-9
VARIANCES = np.geomspace(1e-8, 1e6, 29)
CORRELATIONS = (-0.95, -0.3, 0.0, 0.4, 0.9, 0.999, 1 - 1e-6, 1 - 1e-10)

every_activation = pytest.mark.parametrize("name", ACTIVATION_NAMES)
# sin bends everywhere, which the panels of the quadrature do not resolve at large q.
QUADRATURE_AND_CLOSED = sorted(set(closed.SINGLE) - {"sin"})


def assert_agree(actual, expected, *, scale=None):
    scale = np.abs(expected) if scale is None else scale
    assert (np.abs(actual - expected) <= AGREEMENT * scale).all()


@pytest.mark.parametrize("name", QUADRATURE_AND_CLOSED)
def test_closed_moments_are_the_quadratures(name):
    f, derivative = ACTIVATIONS[name].f, ACTIVATIONS[name].derivative
    second, slope = closed.SINGLE[name]

    assert_agree(
        quadrature.expectation(lambda u: f(u) ** 2, VARIANCES), second(VARIANCES)
    )
    assert_agree(
        quadrature.expectation(lambda u: derivative(u) ** 2, VARIANCES),
        slope(VARIANCES),
    )


@pytest.mark.parametrize("q", [1e-6, 0.3, 4.0])
def test_closed_moments_of_sin_are_the_quadratures_where_it_resolves_it(q):
    second, slope = closed.SINGLE["sin"]

    actual = quadrature.expectation(lambda u: np.sin(u) ** 2, np.array(q))
    actual_slope = quadrature.expectation(lambda u: np.cos(u) ** 2, np.array(q))

    assert_agree(actual, second(q))
    assert_agree(actual_slope, slope(q))


@pytest.mark.parametrize("name", QUADRATURE_AND_CLOSED)
@pytest.mark.parametrize("q", [1e-4, 1.0, 30.0, 1e6])
@pytest.mark.parametrize("c", CORRELATIONS)
def test_closed_pair_moments_are_the_quadratures(name, q, c):
    activation = ACTIVATIONS[name]
    kinked = name in ("relu", "leaky_relu")
    functions = (activation.f, activation.derivative)

    for function, pair, single in zip(
        functions, closed.PAIR[name], closed.SINGLE[name], strict=True
    ):
        product, half = quadrature.pair_moments(function, q, c, 1 - c, kinked=kinked)
        scale = float(single(np.array(q)))
        assert_agree(product, pair(q, c), scale=scale)
        assert_agree(product + half, scale, scale=scale)


@pytest.mark.parametrize("c", [-0.5, 0.2, 0.99])
def test_closed_pair_moments_of_sin_are_the_quadratures(c):
    q = 2.0

    for function, pair in zip((np.sin, np.cos), closed.PAIR["sin"], strict=True):
        product, _ = quadrature.pair_moments(function, q, c, 1 - c, kinked=False)
        assert_agree(product, pair(q, c), scale=1.0)


@pytest.mark.parametrize(
    ("name", "second", "slope"),
    [
        ("relu", 0.85, 0.5),
        ("erf", 0.562216, 0.455893),
        ("gelu", 0.7717012, 0.4832569),
    ],
)
def test_moments_at_1_7_have_the_golden_digits(name, second, slope):
    assert float(theory.second_moment(name, 1.7)) == pytest.approx(second, abs=6e-7)
    assert float(theory.slope_moment(name, 1.7)) == pytest.approx(slope, abs=6e-7)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "silu", "elu", "selu", "softplus"])
@pytest.mark.parametrize("q", [1e-8, 1e-2, 1.0, 50.0, 1e6])
def test_moments_without_closed_form_are_scipys_adaptive_integrals(name, q):
    activation = ACTIVATIONS[name]

    def integral(function):
        def integrand(u):
            return float(function(np.asarray(u))) * np.exp(-u * u / (2 * q))

        end = 12 * np.sqrt(q)
        bends = [b for b in (1e-3, 1.0, 10.0, 40.0) if b < end] + [0.2 * end, 0.5 * end]
        points = sorted({0.0, *bends, *(-b for b in bends)})
        edges = [-end, *points, end]
        # Pieces far out need no relative accuracy of their own.
        typical = (-np.sqrt(q), np.sqrt(q), -0.7, 0.7)
        enough = 1e-12 * max(map(integrand, typical)) * min(np.sqrt(q), 1.0)
        pieces = [
            integrate.quad(integrand, a, b, epsabs=enough, epsrel=1e-11, limit=200)[0]
            for a, b in pairwise(edges)
        ]
        return sum(pieces) / np.sqrt(2 * np.pi * q)

    assert_agree(
        float(theory.second_moment(name, q)), integral(lambda u: activation.f(u) ** 2)
    )
    assert_agree(
        float(theory.slope_moment(name, q)),
        integral(lambda u: activation.derivative(u) ** 2),
    )


@pytest.mark.parametrize("q", [0.04, 1.0, 9.0])
def test_selus_moment_is_its_own_closed_form(q):
    # E (e^u - 1)^2 below 0, by completing the square.
    s = np.sqrt(q)
    below = (
        np.exp(2 * q) * special.ndtr(-2 * s)
        - 2 * np.exp(q / 2) * special.ndtr(-s)
        + 0.5
    )
    expected = SELU_SCALE**2 * (q / 2 + SELU_ALPHA**2 * below)

    assert_agree(float(theory.second_moment("selu", q)), expected)


def test_tanhs_moment_is_mpmaths_to_twelve_digits():
    with mpmath.workdps(25):
        expected = mpmath.quad(
            lambda z: mpmath.tanh(mpmath.sqrt(7) * z) ** 2 * mpmath.npdf(z),
            [0, 0.5, 1, 2, 4, 8, 14],
        )

    actual = float(theory.second_moment("tanh", 7.0))

    assert actual == pytest.approx(2 * float(expected), rel=1e-12)


@every_activation
@pytest.mark.parametrize("q", [1e-6, 0.2, 1.0, 30.0, 1e4])
def test_growth_is_the_derivative_of_the_second_moment(name, q):
    step = 1e-4 * q
    ends = theory.second_moment(name, [q - step, q + step])
    # Central difference: rounding over the step, and the third derivative's share.
    tolerance = 1e-7 * abs(float(ends[1])) / q

    growth = float(theory.second_moment_growth(name, q))

    assert growth == pytest.approx((ends[1] - ends[0]) / (2 * step), abs=tolerance)


@every_activation
def test_variances_of_0_and_infinity_are_limits(name):
    far = theory.slope_moment(name, [1e15, np.inf])
    near = theory.slope_moment(name, [1e-15, 0.0])

    assert far[0] == pytest.approx(far[1], abs=1e-6)
    assert near[0] == pytest.approx(near[1], rel=1e-6)
    saturates = name in ("tanh", "sigmoid", "erf", "sin")
    assert np.isfinite(float(theory.second_moment(name, np.inf))) == saturates


@every_activation
def test_moments_keep_the_shape_of_their_variances(name):
    for moment in (
        theory.second_moment,
        theory.slope_moment,
        theory.second_moment_growth,
        theory.activation_mean,
        theory.activation_std,
    ):
        assert moment(name, np.ones((2, 3))).shape == (2, 3)
        assert moment(name, 1.0).shape == ()
        assert moment(name, []).shape == (0,)
        many = moment(name, np.linspace(0.1, 9, 150))
        assert many[140] == moment(name, np.linspace(0.1, 9, 150)[140])


@every_activation
def test_std_mean_and_second_moment_agree(name):
    q = np.array([1e-4, 0.5, 3.0, 1e3])

    std, mean = theory.activation_std(name, q), theory.activation_mean(name, q)

    np.testing.assert_allclose(
        std**2 + mean**2, theory.second_moment(name, q), rtol=1e-12
    )


@every_activation
@settings(max_examples=8, deadline=None)
@given(q=st.floats(1e-3, 1e3), c=st.floats(-1, 1))
def test_pair_moments_are_bounded_by_single_ones(name, q, c):
    for pair, single in (
        (theory.product_moment, theory.second_moment),
        (theory.slope_product_moment, theory.slope_moment),
    ):
        most = float(single(name, q))
        assert abs(float(pair(name, q, c))) <= most * (1 + 1e-12)
        assert float(pair(name, q, 1.0)) == pytest.approx(most, rel=1e-12)


@every_activation
@pytest.mark.parametrize(("q", "c"), [(0.5, -0.4), (1.0, 0.3), (9.0, 0.9)])
def test_the_product_moments_derivative_is_that_of_slopes(name, q, c):
    step = 1e-4
    ends = theory.product_moment(name, q, [c - step, c + step])

    slope = float(theory.slope_product_moment(name, q, c))

    assert slope == pytest.approx((ends[1] - ends[0]) / (2 * step * q), rel=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.second_moment("tahn", 1.0), "unknown activation 'tahn'"),
        (lambda: theory.second_moment("tanh", -1.0), "q: give numbers at least 0, got"),
        (lambda: theory.slope_moment("tanh", np.nan), "q: give numbers at least 0"),
        (lambda: theory.product_moment("tanh", 1.0, 1.1), "correlation: give finite"),
        (lambda: theory.activation_mean("tanh", np.inf), "q: give finite numbers"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(call, message):
    with pytest.raises((InvalidValueError, UnknownNameError), match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_what_is_not_a_number_is_refused():
    with pytest.raises(InvalidValueError, match="q: give numbers at least 0, got 'x'"):
        # As users call it: in these tests the types are checked first.
        inspect.unwrap(checked_array)("q", "x", at_least=0.0, finite=False)
