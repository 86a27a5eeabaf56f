"""Signals of one network, against sums that are written out."""

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initlab.activations import ACTIVATIONS
from initlab.engine import MEASURED_SIGNALS, input_cosine, stream_signals
from initlab.engine._signals import SignalMeter
from initlab.engine._summaries import distinct_by_layer, distinct_units
from initlab.spec import ACTIVATION_NAMES, MLP


def drawn(widths, seed=0, scale=1.5):
    rng = np.random.default_rng(seed)
    return [
        (scale * rng.normal(size=(b, a)) / np.sqrt(a), 0.1 * rng.normal(size=b))
        for a, b in pairwise(widths)
    ]


def written_out(activation, weights, x, cotangent):
    """Return every quantity by loops over layers and pairs of examples."""
    function = ACTIVATIONS[activation]
    zs, activations = [], [x]
    for weight, bias in weights:
        zs.append(activations[-1] @ weight.T + bias)
        activations.append(function.f(zs[-1]))
    activations[-1] = zs[-1]
    deltas = [cotangent]
    for z, (weight, _) in zip(zs[-2::-1], weights[:0:-1], strict=True):
        deltas.insert(0, deltas[0] @ weight * function.derivative(z))

    def cosine(rows):
        pairs = [
            rows[i] @ rows[j] / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
            for i in range(len(rows))
            for j in range(i)
            if rows[i].any() and rows[j].any()
        ]
        return np.mean(pairs) if pairs else np.nan

    found = {name: [] for name in MEASURED_SIGNALS}
    for layer, (weight, bias) in enumerate(weights):
        z, a, delta = zs[layer], activations[layer + 1], deltas[layer]
        for what, values in (("preactivation", z), ("activation", a), ("delta", delta)):
            found[f"{what}_mean"].append(values.mean())
            found[f"{what}_std"].append(values.std())
            found[f"{what}_rms"].append(np.sqrt((values**2).mean()))
        found["gradient_norm"].append(np.linalg.norm(delta.T @ activations[layer]))
        found["weight_norm"].append(np.linalg.norm(weight))
        found["bias_rms"].append(np.sqrt((bias**2).mean()))
        above = deltas[layer + 1] if layer + 1 < len(deltas) else None
        square = np.nan if above is None else (above**2).sum()
        found["chi"].append((delta**2).sum() / square if square else np.nan)
        found["cosine"].append(cosine(a))
        found["centred_cosine"].append(cosine(a - a.mean(axis=1, keepdims=True)))
        slope = abs(function.derivative(z)) / function.steepest
        is_last = layer == len(weights) - 1
        found["inactive_units"].append(
            0 if is_last else (slope < 1e-3).all(axis=0).sum()
        )
        found["saturated_share"].append(0 if is_last else (slope < 0.05).mean())
        found["distinct_units"].append(len(weight))
    return found


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_every_signal_is_what_its_definition_says(activation, precision):
    widths = (5, 9, 6, 7, 3)
    rng = np.random.default_rng(1)
    x, cotangent = rng.normal(size=(11, 5)), rng.normal(size=(11, 3))
    weights = drawn(widths)

    meter = SignalMeter(MLP(widths=widths, activation=activation), x, precision)
    signals = meter.measure(weights, cotangent)

    expected = written_out(activation, weights, x, cotangent)
    # Sums of a few hundred terms of order one.
    tolerance = {"float64": 1e-12, "float32": 2e-5}[precision]
    for name, values in expected.items():
        np.testing.assert_allclose(
            getattr(signals, name), values, rtol=10 * tolerance, atol=tolerance,
            err_msg=name,
        )  # fmt: skip


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("std", [1e-4, 1e-2])
def test_small_differences_beside_a_large_mean_are_measured(precision, std):
    widths, rng = (50,) * 6, np.random.default_rng(2)
    x, cotangent = rng.normal(size=(40, 50)), rng.normal(size=(40, 50))
    weights = [(std * rng.normal(size=(50, 50)), np.zeros(50)) for _ in range(5)]

    meter = SignalMeter(MLP(widths=widths, activation="sigmoid"), x, precision)
    signals = meter.measure(weights, cotangent)

    expected = written_out("sigmoid", weights, x, cotangent)
    # Activations of 1/2 are rounded by half an eps, of a spread of 1e-4 and more.
    tolerance = {"float64": 1e-9, "float32": 2e-3}[precision]
    for name in ("activation_std", "preactivation_std", "cosine", "centred_cosine"):
        np.testing.assert_allclose(
            getattr(signals, name), expected[name], rtol=tolerance, err_msg=name
        )


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=5),
    st.integers(2, 17),
    st.integers(0, 99),
)
def test_any_widths_and_examples_will_do(widths, examples, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(examples, widths[0]))
    cotangent = rng.normal(size=(examples, widths[-1]))
    weights = drawn(widths, seed)

    meter = SignalMeter(MLP(widths=tuple(widths), activation="relu"), x, "float64")
    first, second = (meter.measure(weights, cotangent) for _ in range(2))

    expected = written_out("relu", weights, x, cotangent)
    for name in ("delta_rms", "gradient_norm", "activation_rms", "chi"):
        np.testing.assert_allclose(
            getattr(first, name), expected[name], rtol=1e-9, atol=1e-12
        )
    assert first.delta_rms.tobytes() == second.delta_rms.tobytes()


def test_networks_of_zeros_and_of_huge_weights_are_reported_as_they_are():
    widths, x = (4, 6, 6, 2), np.ones((3, 4))
    zeros = [(np.zeros((b, a)), np.zeros(b)) for a, b in pairwise(widths)]
    huge = [(np.full((b, a), 1e200), np.zeros(b)) for a, b in pairwise(widths)]
    meter = SignalMeter(MLP(widths=widths), x, "float64")

    nothing = meter.measure(zeros, np.ones((3, 2)))
    everything = meter.measure(huge, np.ones((3, 2)))

    assert nothing.activation_rms.tolist() == [0, 0, 0]
    assert np.isnan(nothing.cosine).all()
    assert nothing.distinct_units.tolist() == [1, 1, 1]
    assert nothing.chi[1] == 0
    assert np.isinf(everything.activation_rms[1:]).all()


def test_equal_examples_have_cosine_one_and_no_centred_direction_where_flat():
    x = np.ones((4, 3))
    weights = [(np.ones((5, 3)), np.zeros(5)), (np.ones((2, 5)), np.zeros(2))]

    signals = SignalMeter(MLP(widths=(3, 5, 2)), x, "float64").measure(
        weights, np.ones((4, 2))
    )

    np.testing.assert_allclose(signals.cosine, 1)
    assert np.isnan(signals.centred_cosine).all()
    assert input_cosine(np.vstack([x, -x])) == pytest.approx(-4 / 28)


def test_copies_are_found_where_the_short_cut_sees_them_and_only_there():
    weights = drawn((6, 40, 40, 3), seed=2)
    assert distinct_by_layer(weights) == [40, 40, 3]
    weights[0][0][7] = weights[0][0][3] * (1 + 1e-12)
    weights[0][1][7] = weights[0][1][3]
    assert distinct_by_layer(weights) == [40, 40, 3]  # they give other numbers
    weights[1][0][:, 7] = weights[1][0][:, 3]

    assert distinct_by_layer(weights) == [39, 40, 3]
    assert distinct_units(np.array([[0.0, 1.0], [-0.0, 1.0]])) == 1


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_networks_signals_do_not_depend_on_threads(threads):
    widths, x = (5, 8, 4), np.random.default_rng(0).normal(size=(9, 5))
    starts = [drawn(widths, seed) for seed in range(7)]

    def cotangent(number):
        return np.random.default_rng(number).normal(size=(9, 4))

    network = MLP(widths=widths, activation="tanh")
    found = dict(stream_signals(network, starts, x, cotangent, threads=threads))

    alone = SignalMeter(network, x, "float64")
    for number, start in enumerate(starts):
        expected = alone.measure(start, cotangent(number))
        for name in MEASURED_SIGNALS:
            assert (
                getattr(found[number], name).tobytes()
                == getattr(expected, name).tobytes()
            )


def test_ctrl_c_ends_a_large_measurement_within_a_second():
    widths, x = (600,) * 40, np.zeros((600, 600))
    one = [(np.zeros((600, 600)), np.zeros(600))] * 39
    seen = []

    def interrupt(*_):
        seen.append(time.monotonic())
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        list(stream_signals(
            MLP(widths=widths), [one] * 50, x, lambda _: x, progress=interrupt
        ))  # fmt: skip

    assert time.monotonic() - seen[0] < 2.0
    assert threading.active_count() <= before + 1
