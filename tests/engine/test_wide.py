"""The engine for wide networks, judged by the reference."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from rounding import assert_one_step_is_the_references
from test_lanes import data_for, starts, study, trainings

from initlab.engine import train, train_ensemble
from initlab.spec import ACTIVATION_NAMES, LOSS_NAMES, MLP, OPTIMIZER_NAMES


def wide(spec, weights, data, **where):
    return train_ensemble(spec, weights, data, engine="wide", **where)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trainings())
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_step_is_the_references(precision, training):
    spec, data, members, seed = training
    weights = starts(spec.network.widths, min(members, 3), seed)

    chosen = spec.model_copy(update={"precision": precision})
    found = wide(chosen, weights, data)

    for start, history in zip(weights, found, strict=True):
        expected = train(spec, start, data)
        assert_one_step_is_the_references(history, expected, chosen, start, data)


@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_whole_trainings_with_a_smaller_last_batch_are_the_references(
    activation, optimizer
):
    widths = (4, 24, 17, 3)
    spec = study(
        network=MLP(widths=widths, activation=activation),
        loss="softmax_cross_entropy",
        optimizer=optimizer,
        batch_size=10,
        steps=60,
        record_every=20,
    )
    data = data_for("softmax_cross_entropy", 4, 3)  # 23 examples: 10, 10 and 3
    (start,) = starts(widths)

    (found,) = wide(spec, [start], data)

    expected = train(spec, start, data)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-9)
    np.testing.assert_array_equal(found.train_score, expected.train_score)
    for name in found.layers.__dataclass_fields__:
        np.testing.assert_allclose(
            getattr(found.layers, name), getattr(expected.layers, name), rtol=1e-7,
            atol=1e-12,
        )  # fmt: skip


def test_batch_norm_and_its_running_values_are_the_references():
    widths = (4, 24, 17, 3)
    spec = study(
        network=MLP(widths=widths, activation="tanh", batch_norm=True),
        loss="softmax_cross_entropy",
        steps=60,
        batch_size=10,
        record_every=20,
    )
    data = data_for("softmax_cross_entropy", 4, 3)
    (start,) = starts(widths)

    (found,) = wide(spec, [start], data)

    expected = train(spec, start, data)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-9)
    for mine, its in zip(found.running, expected.running, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-9)


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("rate", [1e3, 1e30, 1e200])
def test_divergence_is_dated_as_by_the_reference(loss, rate):
    outputs = 1 if loss == "binary_cross_entropy" else 3
    spec = study(
        network=MLP(widths=(3, 6, outputs), activation="identity"),
        loss=loss,
        learning_rate=rate,
        steps=200,
        record_every=50,
    )
    data = data_for(loss, 3, outputs)
    (start,) = starts((3, 6, outputs))

    (found,) = wide(spec, [start], data)

    expected = train(spec, start, data)
    assert found.diverged_step == expected.diverged_step
    np.testing.assert_array_equal(np.isnan(found.loss), np.isnan(expected.loss))


def test_no_number_depends_on_threads_or_neighbours():
    widths = (4, 40, 3)
    spec = study(network=MLP(widths=widths), loss="softmax_cross_entropy", steps=30)
    data = data_for("softmax_cross_entropy", 4, 3)
    weights = starts(widths, 5)

    together = wide(spec, weights, data, threads=3)

    for start, history in zip(weights, together, strict=True):
        (alone,) = wide(spec, [start], data, threads=1)
        assert alone.parameters.flat.tobytes() == history.parameters.flat.tobytes()
