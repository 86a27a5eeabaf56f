"""Members that end where the study stops, in every engine."""

from dataclasses import fields

import numpy as np
import pytest

from initlab.engine import Examples, train_ensemble
from initlab.spec import MLP, Init, Study

ENGINES = ("reference", "lanes", "wide")
LIMIT = 0.4


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    y = (x[:, :1] > 0) * 1.0
    return Examples(
        train_x=x[:24], train_y=y[:24], test_x=x[24:], test_y=y[24:],
        is_classification=True,
    )  # fmt: skip


def study(**choices):
    asked = {
        "network": MLP(widths=(2, 4, 1)),
        "inits": [Init(name="zeros")],
        "loss": "binary_cross_entropy",
        "learning_rate": 0.5,
        "steps": 60,
        "record_every": 3,
    }
    return Study(**{**asked, **choices})


def starts(members=9):
    rng = np.random.default_rng(1)
    return [
        [(rng.normal(size=(4, 2)), np.zeros(4)), (rng.normal(size=(1, 4)), np.zeros(1))]
        for _ in range(members)
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_member_ends_at_the_first_record_at_or_under_the_loss(
    engine, batch_norm, data
):
    network = MLP(widths=(2, 4, 1), batch_norm=batch_norm)
    free, stopped = (
        train_ensemble(
            study(network=network, stop_at_loss=limit), starts(), data, engine=engine
        )
        for limit in (None, LIMIT)
    )

    recorded = np.array(study().recorded_steps)
    ends = [each.stopped_step for each in stopped]
    assert len(set(ends)) > 2  # at different steps, in one group
    for whole, one in zip(free, stopped, strict=True):
        assert whole.stopped_step == -1
        reached = np.flatnonzero(whole.loss <= LIMIT)
        last = reached[0] if len(reached) else len(recorded) - 1
        assert one.stopped_step == (recorded[last] if len(reached) else -1)
        records = np.minimum(np.arange(len(recorded)), last)
        np.testing.assert_array_equal(one.loss, whole.loss[records])
        np.testing.assert_array_equal(one.train_score, whole.train_score[records])
        np.testing.assert_array_equal(one.test_score, whole.test_score[records])
        for field in fields(one.layers):
            found = getattr(one.layers, field.name)
            np.testing.assert_array_equal(
                found, getattr(whole.layers, field.name)[records]
            )


@pytest.mark.parametrize("engine", ENGINES)
def test_the_weights_are_those_where_it_stopped(engine, data):
    (one,) = train_ensemble(study(stop_at_loss=LIMIT), starts(1), data, engine=engine)
    (short,) = train_ensemble(
        study(steps=one.stopped_step), starts(1), data, engine=engine
    )

    assert 0 < one.stopped_step < 60
    np.testing.assert_array_equal(one.parameters.flat, short.parameters.flat)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_start_and_the_last_step_are_records_too(engine, data):
    at_start, at_end = (
        train_ensemble(
            study(stop_at_loss=limit, steps=steps), starts(1), data, engine=engine
        )[0]
        for limit, steps in ((100.0, 60), (LIMIT, 12))
    )

    assert at_start.stopped_step == 0
    assert (at_start.loss == at_start.loss[0]).all()
    whole = train_ensemble(study(steps=12), starts(1), data, engine=engine)[0]
    assert at_end.stopped_step == (12 if whole.loss[-1] <= LIMIT else -1)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_member_that_diverges_has_not_stopped(engine, data):
    weights = [(1e200 * weight, bias) for weight, bias in starts(1)[0]]

    (lost,) = train_ensemble(
        study(stop_at_loss=LIMIT, loss="mean_squared_error"), [weights], data,
        engine=engine,
    )  # fmt: skip

    assert lost.diverged_step >= 0
    assert lost.stopped_step == -1
    assert np.isnan(lost.loss[-1])


def test_members_of_float32_stop_by_what_is_recorded(data):
    found = train_ensemble(
        study(stop_at_loss=LIMIT, precision="float32"), starts(), data, engine="lanes"
    )

    for one in found:
        arrived = np.flatnonzero(one.loss <= LIMIT)
        assert one.stopped_step == (3 * arrived[0] if len(arrived) else -1)
