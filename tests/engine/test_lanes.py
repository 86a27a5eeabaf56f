"""The engine of one network per lane: judged by the reference, and by itself."""

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rounding import assert_one_step_is_the_references
from scipy import stats

from initlab.engine import Examples, stream_ensemble, train, train_ensemble
from initlab.engine._lanes import LaneTrainer
from initlab.errors import InvalidValueError
from initlab.spec import (
    ACTIVATION_NAMES,
    LOSS_NAMES,
    MLP,
    OPTIMIZER_NAMES,
    Init,
    Study,
)

# Runs that a nudge of one ulp moves by more than 1e-6 within 1,000 steps: compared as
# distributions over members.
CHAOTIC = {
    (activation, "adam")
    for activation in ("tanh", "sigmoid", "erf", "gelu", "silu", "elu", "softplus")
}


def study(**choices):
    asked = {"inits": [Init(name="zeros")], "steps": 5, "record_every": 2}
    return Study(**{**asked, **choices})


def data_for(loss, features, outputs, train_count=23, test_count=5, seed=0):
    rng = np.random.default_rng(seed)

    def targets(count):
        if loss == "mean_squared_error":
            return rng.normal(size=(count, outputs))
        if loss == "binary_cross_entropy":
            return (rng.random((count, outputs)) > 0.5) * 1.0
        return np.eye(outputs)[rng.integers(outputs, size=count)]

    return Examples(
        train_x=rng.normal(size=(train_count, features)),
        train_y=targets(train_count),
        test_x=rng.normal(size=(test_count, features)),
        test_y=targets(test_count),
        is_classification=loss != "mean_squared_error",
    )


def starts(widths, members=1, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return [
        [
            (
                scale * rng.normal(size=(fan_out, fan_in)) * np.sqrt(2 / fan_in),
                0.1 * rng.normal(size=fan_out),
            )
            for fan_in, fan_out in pairwise(widths)
        ]
        for _ in range(members)
    ]


LESSON = study(network=MLP(widths=(2, 10, 5, 1)), loss="binary_cross_entropy", steps=50)
LESSON_DATA = data_for("binary_cross_entropy", 2, 1)


def lanes(spec, weights, data, **where):
    return train_ensemble(spec, weights, data, engine="lanes", **where)


def everything(history):
    """Return a history as bytes."""
    layers = [
        getattr(history.layers, name) for name in history.layers.__dataclass_fields__
    ]
    arrays = [
        history.loss,
        history.train_score,
        history.test_score,
        history.parameters.flat,
        *layers,
        *(each for pair in history.running for each in pair),
    ]
    return b"".join(array.tobytes() for array in arrays), history.diverged_step


@st.composite
def trainings(draw):
    """Draw a study with widths, its data and members."""
    loss = draw(st.sampled_from(LOSS_NAMES))
    hidden = draw(st.lists(st.integers(1, 9), max_size=4))
    outputs = draw(st.integers(2, 5))
    widths = (
        draw(st.integers(1, 7)),
        *hidden,
        1 if loss == "binary_cross_entropy" else outputs,
    )
    batch_norm = bool(hidden) and draw(st.booleans())
    count = draw(st.integers(5, 23))
    spec = study(
        network=MLP(
            widths=widths,
            activation=draw(st.sampled_from(ACTIVATION_NAMES)),
            batch_norm=batch_norm,
        ),
        loss=loss,
        optimizer=draw(st.sampled_from(OPTIMIZER_NAMES)),
        batch_size=draw(st.one_of(st.none(), st.integers(5 if batch_norm else 1, 5))),
        steps=1,
        learning_rate=draw(st.sampled_from([0.01, 0.3])),
    )
    data = data_for(loss, widths[0], widths[-1], count, draw(st.integers(0, 5)))
    return spec, data, draw(st.integers(1, 11)), draw(st.integers(0, 99))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trainings())
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_gradient_and_update_are_the_references(precision, training):
    spec, data, members, seed = training
    weights = starts(spec.network.widths, members, seed)
    # A state along a trajectory, not only a start.
    weights[0] = _after_some_steps(spec, weights[0], data)
    single = spec.model_copy(update={"precision": precision})

    found = lanes(single, weights, data)

    for start, history in zip(weights, found, strict=True):
        expected = train(spec, start, data)
        assert_one_step_is_the_references(history, expected, single, start, data)


def _after_some_steps(spec, start, data):
    walk = spec.model_copy(update={"steps": 7, "learning_rate": 0.01})
    history = train(walk, start, data)
    if not history.loss[-1] < 1e4:  # diverges: in float32 a step earlier
        return start
    found = history.parameters
    return list(zip(found.weights, found.biases, strict=True))


@pytest.mark.parametrize("engine", ["lanes", "wide"])
def test_weights_beyond_the_precisions_numbers_have_diverged(engine):
    large, fine = starts((2, 3, 1), 2)
    large[0][0][:] = 1e39
    spec = study(
        network=MLP(widths=(2, 3, 1)), loss="mean_squared_error", precision="float32"
    )

    lost, kept = train_ensemble(
        spec, [large, fine], data_for("mean_squared_error", 2, 1), engine=engine
    )

    assert lost.diverged_step == 0
    assert kept.diverged_step == -1


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZER_NAMES)
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_a_thousand_steps_stay_as_near_as_the_reference_to_itself(
    activation, optimizer
):
    spec = study(
        network=MLP(widths=(2, 8, 5, 1), activation=activation),
        loss="binary_cross_entropy",
        optimizer=optimizer,
        learning_rate=0.01 if optimizer == "adam" else 0.05,
        steps=1000,
        record_every=100,
    )
    data = data_for("binary_cross_entropy", 2, 1, train_count=40)
    (start,) = starts((2, 8, 5, 1), seed=4)
    expected = train(spec, start, data)
    order = np.random.default_rng(0).permutation(40)
    permuted = Examples(
        train_x=data.train_x[order],
        train_y=data.train_y[order],
        test_x=data.test_x,
        test_y=data.test_y,
        is_classification=True,
    )
    up, down = (
        [(np.nextafter(w, to), b) for w, b in start] for to in (np.inf, -np.inf)
    )
    itself = [
        train(spec, start, permuted),
        train(spec, up, data),
        train(spec, down, data),
    ]
    spread = max(np.abs(each.loss - expected.loss).max() for each in itself)

    (found,) = lanes(spec, [start], data)

    if spread > 1e-6:
        assert (activation, optimizer) in CHAOTIC
        members = starts((2, 8, 5, 1), 24, seed=5)
        ends = [each.loss[-1] for each in lanes(spec, members, data)]
        wanted = [train(spec, each, data).loss[-1] for each in members]
        assert stats.ks_2samp(ends, wanted).pvalue > 0.05
        return
    away = np.abs(found.loss - expected.loss).max()
    assert away <= max(1e-12, 10 * spread)


def test_a_members_bytes_do_not_depend_on_its_lane_or_neighbours():
    weights = starts((2, 10, 5, 1), 19)
    together = lanes(LESSON, weights, LESSON_DATA)

    backward = lanes(LESSON, weights[::-1], LESSON_DATA)[::-1]
    alone = [lanes(LESSON, [each], LESSON_DATA)[0] for each in weights[:3]]

    assert [everything(h) for h in backward] == [everything(h) for h in together]
    assert [everything(h) for h in alone] == [everything(h) for h in together[:3]]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_members_bytes_do_not_depend_on_threads(threads):
    weights = starts((2, 10, 5, 1), 40)

    found = lanes(LESSON, weights, LESSON_DATA, threads=threads)

    expected = lanes(LESSON, weights, LESSON_DATA)
    assert [everything(h) for h in found] == [everything(h) for h in expected]


@pytest.mark.slow
@pytest.mark.parametrize("bits", [128, 256, 512])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_members_bytes_do_not_depend_on_the_width_of_vectors(bits, precision):
    spec = LESSON.model_copy(
        update={
            "precision": precision,
            "network": MLP(widths=(2, 7, 1), activation="gelu"),
        }
    )
    weights = starts((2, 7, 1), 2)

    found = LaneTrainer(spec, LESSON_DATA, bits).train(weights, [0.01, 0.01])

    expected = lanes(spec, weights, LESSON_DATA)
    assert [everything(h) for h in found] == [everything(h) for h in expected]


def test_every_member_has_its_own_learning_rate():
    weights = starts((2, 10, 5, 1)) * 3
    rates = [0.01, 0.1, 0.5]

    found = lanes(LESSON, weights, LESSON_DATA, rates=rates)

    for rate, history in zip(rates, found, strict=True):
        one = LESSON.model_copy(update={"learning_rate": rate})
        expected = train(one, weights[0], LESSON_DATA)
        np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)
    assert len({history.loss[-1] for history in found}) == 3


def test_a_diverged_member_is_frozen_and_disturbs_nobody():
    spec = LESSON.model_copy(update={"learning_rate": 0.05})
    calm = starts((2, 10, 5, 1), 5)
    wild = starts((2, 10, 5, 1), 1, scale=1e80)
    rates = [0.05] * 3 + [1e100] + [0.05] * 2

    mixed = lanes(spec, [*calm[:3], wild[0], *calm[3:]], LESSON_DATA, rates=rates)

    expected = train(
        spec.model_copy(update={"learning_rate": 1e100}), wild[0], LESSON_DATA
    )
    assert mixed[3].diverged_step == expected.diverged_step > 0
    np.testing.assert_array_equal(np.isnan(mixed[3].loss), np.isnan(expected.loss))
    others = [h for k, h in enumerate(mixed) if k != 3]
    alone = lanes(spec, calm, LESSON_DATA)
    assert [everything(h) for h in others] == [everything(h) for h in alone]


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("rate", [1e3, 1e30, 1e200])
def test_divergence_is_dated_as_by_the_reference(loss, rate):
    outputs = 1 if loss == "binary_cross_entropy" else 3
    spec = study(
        network=MLP(widths=(3, 6, outputs), activation="identity"),
        loss=loss,
        learning_rate=rate,
        steps=400,
        record_every=50,
    )
    data = data_for(loss, 3, outputs)
    (start,) = starts((3, 6, outputs))

    (found,) = lanes(spec, [start], data)

    expected = train(spec, start, data)
    assert found.diverged_step == expected.diverged_step
    np.testing.assert_array_equal(np.isnan(found.loss), np.isnan(expected.loss))


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_an_overflow_on_the_way_forward_is_a_divergence(activation):
    spec = study(
        network=MLP(widths=(3, 6, 6, 6, 2), activation=activation),
        loss="mean_squared_error",
    )
    data = data_for("mean_squared_error", 3, 2)
    (start,) = starts((3, 6, 6, 6, 2), scale=1e150)

    (found,) = lanes(spec, [start], data)

    expected = train(spec, start, data)
    assert found.diverged_step == expected.diverged_step
    np.testing.assert_array_equal(np.isnan(found.loss), np.isnan(expected.loss))


def test_a_group_that_has_diverged_is_done_at_once():
    spec = LESSON.model_copy(
        update={"steps": 10**8, "record_every": 10**7, "learning_rate": 1e300}
    )

    (found,) = lanes(spec, starts((2, 10, 5, 1), scale=1e100), LESSON_DATA)

    assert 0 <= found.diverged_step < 10


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_any_number_of_examples_will_do(count, batch_norm):
    spec = study(
        network=MLP(widths=(2, 4, 3), activation="tanh", batch_norm=batch_norm),
        loss="softmax_cross_entropy",
    )
    data = data_for("softmax_cross_entropy", 2, 3, count, test_count=count % 4)
    (start,) = starts((2, 4, 3))

    (found,) = lanes(spec, [start], data)

    expected = train(spec, start, data)
    # A batch of one is all mean: what is left of it is rounding.
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-9)
    np.testing.assert_array_equal(found.test_score, expected.test_score)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_all_that_is_recorded_is_the_references(activation):
    spec = study(
        network=MLP(widths=(2, 9, 6, 3), activation=activation),
        loss="softmax_cross_entropy",
        steps=40,
        record_every=8,
        batch_size=7,
    )
    data = data_for("softmax_cross_entropy", 2, 3)
    (start,) = starts((2, 9, 6, 3), scale=3.0)
    start[0][0][4] = start[0][0][2]  # a copy, as far as incoming weights go
    start[0][1][4] = start[0][1][2]
    start[1][0][:, 4] = start[1][0][:, 2]

    (found,) = lanes(spec, [start], data)

    expected = train(spec, start, data)
    np.testing.assert_array_equal(found.train_score, expected.train_score)
    for name in found.layers.__dataclass_fields__:
        np.testing.assert_allclose(
            getattr(found.layers, name), getattr(expected.layers, name), rtol=1e-9,
            atol=1e-12, err_msg=name,
        )  # fmt: skip
    assert found.layers.distinct_units[0, 0] == 8


def test_ctrl_c_ends_all_threads_within_a_second():
    spec = LESSON.model_copy(update={"steps": 10**8, "record_every": 10**7})
    before = threading.active_count()

    def interrupt(done, _):
        if done:
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lanes(spec, starts((2, 10, 5, 1), 40), LESSON_DATA, progress=interrupt)

    assert time.monotonic() - begun < 2.0
    assert threading.active_count() <= before + 1


def test_groups_stream_out_before_all_have_begun():
    drawn = []

    class Drawn(list):
        def __getitem__(self, number):
            drawn.append(number)
            return super().__getitem__(number)

    members = Drawn(starts((2, 10, 5, 1), 400))
    stream = stream_ensemble(LESSON, members, LESSON_DATA, engine="lanes", threads=1)

    numbers, histories = next(stream)
    begun = len(set(drawn))
    stream.close()

    assert len(numbers) == len(histories) > 1
    assert begun < 100


def test_progress_ends_with_all_steps():
    seen = []

    lanes(
        LESSON, starts((2, 10, 5, 1), 20), LESSON_DATA,
        progress=lambda *now: seen.append(now),
    )  # fmt: skip

    assert seen == sorted(seen)
    assert seen[-1] == (20 * 50, 20 * 50)


def test_weights_and_rates_are_refused_at_the_boundary():
    good = starts((2, 10, 5, 1), 2)
    holed = starts((2, 10, 5, 1), 2)
    holed[1][2][0][0, 3] = np.inf

    with pytest.raises(InvalidValueError, match=r"network 1 .* weight .* layer 3"):
        lanes(LESSON, holed, LESSON_DATA)
    with pytest.raises(InvalidValueError, match="shapes"):
        lanes(LESSON, starts((2, 9, 5, 1)), LESSON_DATA)
    with pytest.raises(InvalidValueError, match="one per network, 2, got 1"):
        lanes(LESSON, good, LESSON_DATA, rates=[0.1])
    with pytest.raises(InvalidValueError, match="positive"):
        lanes(LESSON, good, LESSON_DATA, rates=[0.1, float("nan")])
