"""Gains and critical points against the project's golden values."""

import inspect
import math

import pytest

from initlab import theory
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import ACTIVATION_NAMES

# G(1), gain, chi_1 at that gain, critical weight and bias variance at q = 1; five
# digits or four, as they were computed for the project's table of facts.
GOLDEN = {
    "relu": (0.50000, 1.4142, 1.0000, 2.0000, 0.0),
    "tanh": (0.39429, 1.5925, 1.1778, 2.1533, 0.1510),
    "erf": (0.46456, 1.4672, 1.2257, 1.7562, 0.1841),
    "gelu": (0.42522, 1.5335, 1.0720, 2.1937, 0.0672),
    "silu": (0.35578, 1.6765, 1.0666, 2.6352, 0.0625),
    "elu": (0.64495, 1.2452, 1.0359, 1.4968, 0.0347),
    "selu": (1.00000, 1.0000, 1.0716, 0.9332, 0.0668),
}
NEVER_CRITICAL_AT_1 = {
    "sigmoid": (0.29338, 1.8462, 0.1528, 22.3),
    "softplus": (0.92125, 1.0419, 0.3185, 3.41),
}
LAST_OF_FIVE, LAST_OF_FOUR = 0.5e-5, 0.5e-4

every_activation = pytest.mark.parametrize("name", ACTIVATION_NAMES)


@pytest.mark.parametrize("name", [*GOLDEN, *NEVER_CRITICAL_AT_1])
def test_gains_have_the_golden_digits(name):
    second, gain, chi_1, *_ = (GOLDEN | NEVER_CRITICAL_AT_1)[name]

    assert float(theory.second_moment(name, 1.0)) == pytest.approx(
        second, abs=LAST_OF_FIVE
    )
    assert theory.gain(name) == pytest.approx(gain, abs=LAST_OF_FOUR)
    at_gain = theory.gain(name) ** 2 * float(theory.slope_moment(name, 1.0))
    assert at_gain == pytest.approx(chi_1, abs=LAST_OF_FOUR)


@pytest.mark.parametrize("name", GOLDEN)
def test_critical_points_have_the_golden_digits(name):
    *_, weight, bias = GOLDEN[name]

    point = theory.critical(name)

    assert point.weight_variance == pytest.approx(weight, abs=LAST_OF_FOUR)
    assert point.bias_variance == pytest.approx(bias, abs=LAST_OF_FOUR)


@pytest.mark.parametrize(("name", "weight"), [("sigmoid", 22.3), ("softplus", 3.41)])
def test_a_negative_bias_variance_is_refused(name, weight):
    assert 1 / float(theory.slope_moment(name, 1.0)) == pytest.approx(weight, rel=2e-3)

    with pytest.raises(InvalidValueError, match=f"{name} is not critical at q=1"):
        theory.critical(name)


@every_activation
@pytest.mark.parametrize("q", [1e-3, 1.0, 60.0, 1e4])
def test_a_critical_point_keeps_its_variance_and_its_gradients(name, q):
    try:
        point = theory.critical(name, q=q)
    except InvalidValueError:
        assert name in ("sigmoid", "softplus")
        return

    kept = point.weight_variance * theory.second_moment(name, q) + point.bias_variance
    chi_1 = point.weight_variance * theory.slope_moment(name, q)
    assert float(kept) == pytest.approx(q, rel=1e-12)
    assert float(chi_1) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", GOLDEN)
def test_mean_field_finds_critical_points_critical(name):
    point = theory.critical(name)

    found = theory.mean_field(
        name,
        weight_variance=point.weight_variance,
        bias_variance=point.bias_variance,
    )

    assert found.phase == "critical"
    assert found.q_star == pytest.approx(1, rel=1e-9)
    assert found.chi_par == pytest.approx(point.chi_par, rel=1e-9)
    assert math.isinf(found.xi_c)


def test_keeping_the_second_moment_is_not_being_critical():
    tanh = theory.mean_field("tanh", weight_variance=theory.gain("tanh") ** 2)

    assert tanh.phase == "chaotic"


def test_the_gain_by_standard_deviation_of_relu_is_the_published_one():
    # sqrt(2 / (1 - 1/pi)), Brock et al. (2021), section 4.
    published = math.sqrt(2 / (1 - 1 / math.pi))

    actual = theory.gain("relu", definition="standard_deviation")

    assert actual == pytest.approx(published, rel=1e-12)
    assert round(actual, 4) == 1.7129


@pytest.mark.parametrize("name", ["tanh", "erf", "sin", "identity"])
def test_odd_activations_have_equal_gains_by_both_moments(name):
    by_std = theory.gain(name, definition="standard_deviation")

    assert by_std == pytest.approx(theory.gain(name), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity", 1), ("sigmoid", 1), ("tanh", 5 / 3), ("relu", math.sqrt(2)),
        ("leaky_relu", math.sqrt(2 / 1.0001)), ("selu", 3 / 4),
    ],
)  # fmt: skip
def test_pytorchs_table_is_pytorchs(name, expected):
    assert theory.gain(name, definition="pytorch") == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", ["gelu", "silu", "elu", "softplus", "erf", "sin"])
def test_what_pytorch_has_no_gain_for_is_refused(name):
    with pytest.raises(InvalidValueError, match=r"PyTorch's table .* got '" + name):
        theory.gain(name, definition="pytorch")


def test_unknown_names_are_refused_in_one_line_with_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown activation 'rellu'") as error:
        theory.gain("rellu")
    assert "Did you mean 'relu'?" in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(UnknownNameError, match="unknown definition 'moment'"):
        # As users call it: in these tests the types are checked first.
        inspect.unwrap(theory.gain)("relu", definition="moment")


@pytest.mark.parametrize("q", [0.0, -1.0, math.nan, math.inf])
def test_a_variance_that_cannot_be_kept_is_refused(q):
    with pytest.raises(InvalidValueError, match="q: give finite numbers above 0, got"):
        theory.critical("tanh", q=q)


HALF_STABLE = {
    "gelu": ((3 + math.sqrt(17)) / 2, 1.983058, 0.172922),
    "silu": (14.32017, 1.988005, 0.555143),
}


@pytest.mark.parametrize("name", HALF_STABLE)
def test_half_stable_points_have_the_golden_digits(name):
    q, weight, bias = HALF_STABLE[name]

    point = theory.half_stable_point(name)

    assert point.q == pytest.approx(q, abs=0.5e-5)
    assert point.weight_variance == pytest.approx(weight, abs=0.5e-6)
    assert point.bias_variance == pytest.approx(bias, abs=0.5e-6)
    assert point.chi_par == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", sorted(set(ACTIVATION_NAMES) - {*HALF_STABLE}))
def test_no_other_activation_has_a_half_stable_point(name):
    assert theory.half_stable_point(name) is None


@pytest.mark.parametrize(("name", "sign"), [("gelu", -1), ("silu", 1)])
def test_near_a_half_stable_point_the_variance_moves_in_one_direction(name, sign):
    point = theory.half_stable_point(name)

    def change(q):
        carried = point.weight_variance * float(theory.second_moment(name, q))
        return carried + point.bias_variance - q

    assert sign * change(0.99 * point.q) > 0
    assert sign * change(1.01 * point.q) > 0


def test_sigmoids_critical_line_starts_far_away():
    start = theory.critical_start("sigmoid")

    assert start.weight_variance == pytest.approx(103, abs=0.5)
    assert start.q == pytest.approx(45, abs=1)
    assert start.bias_variance == 0
    assert theory.critical("sigmoid", q=1.01 * start.q).bias_variance > 0
    with pytest.raises(InvalidValueError, match="starts at weight_variance=103, q=45"):
        theory.critical("sigmoid", q=0.99 * start.q)


def test_softplus_has_no_critical_line():
    assert theory.critical_start("softplus") is None
    assert theory.critical_line("softplus").shape == (0, 3)


@pytest.mark.parametrize(("name", "weight"), [("tanh", 1.0), ("gelu", 4.0)])
def test_other_critical_lines_start_at_the_linear_network(name, weight):
    start = theory.critical_start(name)

    assert (start.weight_variance, start.bias_variance, start.q) == (weight, 0, 0)


def test_the_critical_line_of_relu_is_hes_point():
    line = theory.critical_line("relu")

    assert len(line) == 201
    assert (line[:, 0] == 2).all()
    assert (line[:, 1] == 0).all()
