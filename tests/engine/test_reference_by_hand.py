"""The reference against numbers worked out by hand: what no other test would notice."""

import numpy as np
import pytest

from initlab.engine import Examples, Reference, train
from initlab.engine._optimizers import OPTIMIZERS
from initlab.engine._reference import batches
from initlab.engine._scores import (
    accuracy_of_half,
    accuracy_of_largest,
    accuracy_of_sign,
    r_squared,
)
from initlab.engine._values import Parameters
from initlab.rng import stream
from initlab.spec import MLP, Study

X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.5, -3.0], [2.0, 1.0]])
Y = np.array([[1.0], [0.0], [1.0], [0.0]])
DATA = Examples(
    train_x=X, train_y=Y, test_x=X[:0], test_y=Y[:0], is_classification=True
)


def test_adams_second_step_is_the_algorithms():
    parameters = np.array([1.0])
    step = OPTIMIZERS["adam"](parameters, 0.1)

    step(np.array([2.0]))
    step(np.array([-1.0]))

    mean = (0.9 * (0.1 * 2) + 0.1 * -1) / (1 - 0.9**2)
    square = (0.999 * (0.001 * 4) + 0.001 * 1) / (1 - 0.999**2)
    expected = 1 - 0.1 * 2 / (2 + 1e-8) - 0.1 * mean / (np.sqrt(square) + 1e-8)
    assert parameters[0] == pytest.approx(expected, rel=1e-14)


def test_batch_norm_divides_by_the_root_of_variance_plus_1e_5():
    study = Study(
        network=MLP(widths=(2, 1, 1), activation="identity", batch_norm=True),
        loss="mean_squared_error",
    )
    weights = [
        (np.array([[0.01, 0.0]]), np.array([0.5])),
        (np.ones((1, 1)), np.zeros(1)),
    ]
    network = Reference(study, Parameters.starting_from(weights, batch_norm=True))

    outputs = network.forward(X, training=True)

    z = 0.01 * X[:, 0]
    expected = (z - z.mean()) / np.sqrt(z.var() + 1e-5) + 0.5
    np.testing.assert_allclose(outputs[:, 0], expected, rtol=1e-13)


def test_the_first_epoch_has_its_own_order():
    chosen = list(batches(Study(batch_size=5, steps=4), 10))

    for epoch in (0, 1):
        order = stream(3, "batches", epoch).permutation(10)
        found = np.concatenate(chosen[2 * epoch : 2 * epoch + 2])
        np.testing.assert_array_equal(found, order)


def test_scores_are_the_shares_that_one_counts():
    logits = np.array([[2.0], [-1.0], [0.3], [0.7]])
    y = np.array([[1.0], [0.0], [0.0], [1.0]])
    several = np.array([[3.0, 1.0, 2.0], [0.0, -1.0, -2.0]])

    assert accuracy_of_sign(logits, y) == 0.75
    assert accuracy_of_half(logits, y) == 1.0
    assert accuracy_of_largest(several, np.eye(3)[[0, 1]]) == 0.5
    assert r_squared(np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]])) == 0.5
    assert np.isnan(r_squared(np.ones((2, 1)), np.ones((2, 1))))


def test_gradient_norms_are_those_of_the_loss():
    study = Study(
        network=MLP(widths=(2, 1)), loss="mean_squared_error", steps=1, inits=["zeros"]
    )
    start = [(np.array([[0.5, -0.25]]), np.array([0.1]))]

    history = train(study, start, DATA)

    residual = X @ start[0][0].T + 0.1 - Y
    gradient = 2 * residual.T @ X / len(X)
    assert history.layers.gradient_norm[0, 0] == pytest.approx(np.linalg.norm(gradient))


@pytest.mark.parametrize("record_every", [1, 7, 100])
def test_the_step_of_divergence_does_not_depend_on_what_is_recorded(record_every):
    study = Study(
        network=MLP(widths=(2, 3, 1), activation="identity"),
        loss="mean_squared_error",
        learning_rate=1e3,
        steps=300,
        record_every=record_every,
    )
    start = [(np.ones((3, 2)), np.zeros(3)), (np.ones((1, 3)), np.zeros(1))]

    history = train(study, start, DATA)

    # By the textbook, until the squares no longer fit.
    (w1, b1), (w2, b2) = start
    step = 0
    with np.errstate(all="ignore"):
        while True:
            h = X @ w1.T + b1
            residual = h @ w2.T + b2 - Y
            weights = [w1, b1, w2, b2]
            finite = all(np.isfinite(w).all() for w in weights)
            if not finite or not np.isfinite(np.mean(residual**2)):
                break
            d2 = 2 * residual / len(X)
            d1 = d2 @ w2
            w1, b1 = w1 - 1e3 * d1.T @ X, b1 - 1e3 * d1.sum(axis=0)
            w2, b2 = w2 - 1e3 * d2.T @ h, b2 - 1e3 * d2.sum(axis=0)
            step += 1
    assert history.diverged_step == step


def test_weights_that_overflow_in_the_first_update_diverge_at_step_1():
    study = Study(
        network=MLP(widths=(2, 1)),
        loss="mean_squared_error",
        learning_rate=1e300,
        steps=5,
    )
    start = [(np.array([[1e9, 0.0]]), np.zeros(1))]

    history = train(study, start, DATA)

    assert history.diverged_step == 1
