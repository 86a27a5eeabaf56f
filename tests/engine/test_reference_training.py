"""The reference's trainings: optimizers, batches, batch norm, divergence, processes."""

from itertools import pairwise

import numpy as np
import pytest

from initlab.engine import Examples, Parameters, layer_outputs, train, train_ensemble
from initlab.engine._reference import batches
from initlab.engine._summaries import distinct_units
from initlab.rng import stream
from initlab.spec import MLP, Study

RNG = np.random.default_rng(1)
X = RNG.standard_normal((40, 3))
DATA = Examples(
    train_x=X,
    train_y=(X[:, :1] * X[:, 1:2] > 0).astype(float),
    test_x=X[:9],
    test_y=(X[:9, :1] > 0).astype(float),
    is_classification=True,
)


def study(**choices):
    network = {"widths": (3, 6, 4, 1)} | choices.pop("network", {})
    defaults = {"loss": "binary_cross_entropy", "steps": 30, "record_every": 10}
    return Study(network=MLP(**network), inits=["zeros"], **(defaults | choices))


def start(seed=0, widths=(3, 6, 4, 1)):
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal((o, i)), rng.standard_normal(o))
        for i, o in pairwise(widths)
    ]


def flat(history):
    return history.parameters.flat


def test_gradient_descent_momentum_and_adam_take_their_textbook_steps():
    first = {}
    for optimizer in ("gradient_descent", "momentum", "adam"):
        one = study(steps=1, optimizer=optimizer, learning_rate=0.1)
        first[optimizer] = flat(train(one, start(), DATA))
    before = Parameters.starting_from(start(), batch_norm=False).flat

    step = first["gradient_descent"] - before
    moved = np.abs(step) > 1e-6

    np.testing.assert_array_equal(first["momentum"], first["gradient_descent"])
    # Adam's first step is the learning rate times the gradient's sign.
    adam = (first["adam"] - before)[moved]
    np.testing.assert_allclose(adam, 0.1 * np.sign(step[moved]), rtol=2e-3)


def test_momentum_adds_nine_tenths_of_the_last_step():
    plain = flat(train(study(steps=1), start(), DATA))
    before = Parameters.starting_from(start(), batch_norm=False).flat
    two = flat(train(study(steps=2, optimizer="momentum"), start(), DATA))
    second = flat(train(study(steps=2), start(), DATA)) - plain

    np.testing.assert_allclose(two, plain + 0.9 * (plain - before) + second, rtol=1e-12)


def test_mini_batches_visit_every_example_once_an_epoch_in_the_stated_order():
    chosen = list(batches(study(batch_size=16, steps=6), 40))

    assert [len(batch) for batch in chosen] == [16, 16, 8, 16, 16, 8]
    np.testing.assert_array_equal(np.sort(np.concatenate(chosen[:3])), np.arange(40))
    order = stream(3, "batches", 1).permutation(40)
    np.testing.assert_array_equal(np.concatenate(chosen[3:]), order)


def test_a_batch_of_all_examples_is_the_full_batch():
    whole = train(study(), start(), DATA)
    batched = train(study(batch_size=40), start(), DATA)

    assert flat(whole).tobytes() == flat(batched).tobytes()


def test_losses_are_recorded_before_their_step_and_after_the_last():
    short = train(study(steps=10), start(), DATA)
    long = train(study(steps=25), start(), DATA)

    assert len(long.loss) == 4  # steps 0, 10, 20, 25
    assert short.loss[1] == long.loss[1]
    np.testing.assert_array_equal(short.loss[0], long.loss[0])


def test_batch_norm_trains_on_batch_statistics_and_predicts_with_running_ones():
    spec = study(network={"batch_norm": True}, steps=3000, learning_rate=0.05)
    history = train(spec, start(), DATA)

    training = layer_outputs(spec, history, X, training=True)[-1]
    running = layer_outputs(spec, history, X)[-1]
    alone = layer_outputs(spec, history, X[:1])[-1]

    assert history.loss[-1] < 0.5 * history.loss[0]
    np.testing.assert_allclose(running, training, atol=0.05)
    np.testing.assert_allclose(alone, running[:1], rtol=1e-9)  # no batch needed


def test_divergence_is_recorded_and_the_rest_stays_nan():
    network = {"activation": "identity"}  # ReLU's units would die first
    spec = study(
        network=network, loss="mean_squared_error", learning_rate=1e6, steps=30
    )

    history = train(spec, start(), DATA)

    assert 0 < history.diverged_step < 30
    assert np.isfinite(history.loss[0])
    assert np.isnan(history.loss[-1])
    assert np.isnan(history.train_score[-1])


def test_a_start_that_is_not_finite_diverges_at_step_0():
    weights = [(w * 1e200, b) for w, b in start()]
    history = train(study(loss="mean_squared_error"), weights, DATA)

    assert history.diverged_step == 0
    assert np.isnan(history.loss).all()


def test_no_test_examples_give_no_test_score():
    bare = Examples(
        train_x=X,
        train_y=DATA.train_y,
        test_x=X[:0],
        test_y=DATA.train_y[:0],
        is_classification=True,
    )

    history = train(study(), start(), bare)

    assert np.isnan(history.test_score).all()
    assert np.isfinite(history.train_score).all()


@pytest.mark.parametrize("network", [{}, {"batch_norm": True}])
def test_bytes_do_not_depend_on_processes_or_neighbours(network):
    spec = study(network=network, batch_size=7)
    starts = [start(seed) for seed in range(3)]

    alone = [train(spec, each, DATA) for each in starts]
    spread = train_ensemble(spec, starts, DATA, threads=2)

    for one, other in zip(alone, spread, strict=True):
        assert flat(one).tobytes() == flat(other).tobytes()
        assert one.loss.tobytes() == other.loss.tobytes()
        for name in one.layers.__dataclass_fields__:
            first, second = (getattr(h.layers, name) for h in (one, other))
            assert first.tobytes() == second.tobytes()


def test_progress_ends_with_all_steps_done():
    seen = []

    train_ensemble(
        study(), [start()] * 2, DATA, threads=1, progress=lambda *now: seen.append(now)
    )

    assert seen[-1] == (60, 60)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_failure_in_one_network_reaches_the_caller_and_stops_the_others(threads):
    wrong = [(weight[:, :2], bias) for weight, bias in start()]

    with pytest.raises(ValueError, match=r"mismatch|align|shape"):
        train_ensemble(study(), [wrong, start()], DATA, threads=threads)


def test_ctrl_c_stops_a_training_within_a_step():
    def tick(step):
        if step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(study(steps=10**9, record_every=10**8), start(), DATA, tick)


def test_copies_are_counted_once_up_to_rounding():
    unit = RNG.standard_normal(5)
    copies = np.stack([unit, unit * (1 + 1e-15), unit + 1e-3, -unit])

    assert distinct_units(copies) == 3
    assert distinct_units(np.zeros((4, 3))) == 1


def test_summaries_at_the_start_are_what_their_names_say():
    weights = start()
    history = train(study(network={"activation": "tanh"}), weights, DATA)
    hidden = np.tanh(X @ weights[0][0].T + weights[0][1])

    layers = history.layers

    assert layers.activation_rms[0, 0] == pytest.approx(np.sqrt((hidden**2).mean()))
    spread = np.sqrt(hidden.var(axis=0).mean())
    assert layers.activation_spread[0, 0] == pytest.approx(spread)
    assert layers.weight_norm[0, 1] == pytest.approx(np.linalg.norm(weights[1][0]))
    assert layers.weight_distance[0].tolist() == [0, 0, 0]
    assert layers.distinct_units[0].tolist() == [6, 4, 1]
    slope = 1 - hidden**2
    assert layers.saturated_share[0, 0] == pytest.approx((slope < 0.05).mean())
    assert layers.inactive_units[0].tolist() == [0, 0, 0]
