"""The reference's gradients against finite differences, for every combination."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from initlab.activations import ACTIVATIONS
from initlab.engine import LOSSES, Parameters, Reference
from initlab.spec import ACTIVATION_NAMES, LOSS_NAMES, MLP, OPTIMIZER_NAMES, Study

# Central differences err by h^2 f'''/6 (h = 1e-5) plus 2e-16 |f| / h of rounding.
STEP = 1e-5
TOLERANCE = 2e-6

widths_between = st.lists(st.integers(1, 5), min_size=0, max_size=3)


def targets(loss, outputs, rng, examples=7):
    if loss == "mean_squared_error":
        return rng.standard_normal((examples, outputs))
    labels = rng.integers(0, max(outputs, 2), examples)
    if loss == "softmax_cross_entropy":
        return np.eye(outputs)[labels % outputs]
    return (labels % 2)[:, None].astype(float)


def network_of(activation, loss, hidden, batch_norm, rng):
    outputs = 1 if loss == "binary_cross_entropy" else 3
    widths = (4, *hidden, outputs)
    study = Study(
        network=MLP(widths=widths, activation=activation, batch_norm=batch_norm),
        loss=loss,
        inits=["zeros"],
    )
    parameters = Parameters(widths, batch_norm=batch_norm)
    parameters.flat[:] = rng.standard_normal(parameters.flat.size)
    return Reference(study, parameters), targets(loss, outputs, rng)


def smooth(network):
    """Whether no pre-activation is so near a kink that a difference straddles it."""
    return all(np.abs(z).min() > 1e-2 for z in network.preactivations[:-1])


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
@settings(max_examples=6, deadline=None)
@given(hidden=widths_between, seed=st.integers(0, 2**31))
def test_gradients_are_the_slopes_of_the_loss(
    activation, loss, batch_norm, hidden, seed
):
    rng = np.random.default_rng(seed)
    network, y = network_of(activation, loss, hidden, batch_norm, rng)
    x = rng.standard_normal((7, 4))
    flat = network.parameters.flat
    direction = rng.standard_normal(flat.size)
    direction /= np.linalg.norm(direction)

    network.backward(network.forward(x, training=True), y)
    predicted = network.gradient.flat @ direction

    kinked = activation in ("relu", "leaky_relu", "elu", "selu")
    assume(not kinked or smooth(network))
    if any(scale.max() > 30 for _, scale, *_ in network.normalized):
        assume(False)  # a unit next to constant: differences see curvature
    start = flat.copy()
    losses = []
    for sign in (1, -1):
        flat[:] = start + sign * STEP * direction
        losses.append(network.loss.value(network.forward(x, training=True), y))
    measured = (losses[0] - losses[1]) / (2 * STEP)
    scale = 1 + np.linalg.norm(network.gradient.flat)
    assert measured == pytest.approx(predicted, abs=TOLERANCE * scale)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_derivatives_are_slopes_and_the_steepest_is_right(name):
    z = np.linspace(-6, 6, 2001)
    z = z[np.abs(z) > 1e-3]
    activation = ACTIVATIONS[name]

    slope = (activation.f(z + STEP) - activation.f(z - STEP)) / (2 * STEP)

    np.testing.assert_allclose(activation.derivative(z), slope, atol=1e-8)
    dense = np.abs(activation.derivative(np.linspace(-40, 40, 200_001)))
    assert dense.max() == pytest.approx(activation.steepest, rel=1e-3)


def test_the_table_of_activations_has_the_names_of_the_spec():
    assert tuple(ACTIVATIONS) == ACTIVATION_NAMES


def test_the_tables_of_losses_and_optimizers_have_the_names_of_the_spec():
    from initlab.engine._optimizers import OPTIMIZERS

    assert set(LOSSES) == set(LOSS_NAMES)
    assert set(OPTIMIZERS) == set(OPTIMIZER_NAMES)


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_losses_are_finite_and_exact_at_huge_logits(loss):
    z = np.array([[1e4, 0.0], [0.0, 1e4]])
    y = np.array([[0.0, 1.0], [0.0, 1.0]])
    if loss == "binary_cross_entropy":
        z, y = z[:, :1], y[:, :1]

    value = LOSSES[loss].value(z, y)

    expected = {
        "binary_cross_entropy": (1e4 + np.log(2)) / 2,
        "softmax_cross_entropy": 1e4 / 2,
        "mean_squared_error": (1e8 + 1 + (1e4 - 1) ** 2) / 2,
    }
    assert value == pytest.approx(expected[loss], rel=1e-12)


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_no_constant_output_has_less_than_the_constant_loss(loss):
    rng = np.random.default_rng(0)
    y = targets(loss, 1 if loss == "binary_cross_entropy" else 3, rng, examples=50)
    least = LOSSES[loss].constant(y)
    share = y.mean(axis=0)
    best = {
        "binary_cross_entropy": lambda: np.log(share / (1 - share)),
        "softmax_cross_entropy": lambda: np.log(share),
        "mean_squared_error": lambda: share,
    }[loss]()

    def loss_at(output):
        return LOSSES[loss].value(np.tile(output, (len(y), 1)), y)

    assert loss_at(best) == pytest.approx(least, rel=1e-12)
    for _ in range(20):
        assert loss_at(best + 0.1 * rng.standard_normal(best.shape)) >= least
