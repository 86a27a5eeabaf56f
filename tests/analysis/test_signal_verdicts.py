"""Verdicts on signals: plain cases of each, and the numbers in their sentences."""

from typing import get_args

import numpy as np
import pytest

import initlab as il
from initlab.analysis import signal_verdicts
from initlab.messages import SIGNALS, VerdictId, signal_sentence


def verdicts(inits, activation="relu", depth=12, width=60, **choices):
    network = il.MLP(widths=(width,) * (depth + 1), activation=activation)
    return signal_verdicts(il.signal(network, inits, members=7, **choices))


CASES = [
    ("critical", "he_normal", "relu", 12),
    ("critical", "lecun_normal", "tanh", 30),
    ("critical", "orthogonal", "tanh", 30),
    ("chaotic", "he_normal", "tanh", 30),
    ("ordered", "lecun_normal", "relu", 6),
    ("shrinking_gradient", "lecun_normal", "relu", 13),
    ("vanishing_gradient", "torch_default", "relu", 12),
    ("growing_gradient", "he_normal(scale=1.2)", "relu", 24),
    ("exploding_gradient", "he_normal(scale=2)", "relu", 16),
    ("saturated_units", "normal(std=5)", "tanh", 5),
    ("symmetric_units", "constant(value=0.1)", "relu", 5),
    ("symmetric_units", "zeros", "tanh", 5),
    ("not_finite", "normal(std=1e150)", "identity", 5),
]


@pytest.mark.parametrize(("expected", "init", "activation", "depth"), CASES)
def test_each_case_gets_its_verdict(expected, init, activation, depth):
    (verdict,) = verdicts([init], activation, depth)

    assert verdict.id == expected
    sentence = signal_sentence(verdict.id, verdict.evidence)
    assert sentence
    assert "nan" not in sentence


def test_every_verdict_has_a_case_or_is_tested_below():
    assert (
        {case[0] for case in CASES}
        | {
            "single_layer",
            "alike_examples",
            "alike_inputs",
            "no_signal",
        }
        == set(SIGNALS)
        == set(get_args(VerdictId))
    )


def test_examples_that_become_alike_are_told():
    (verdict,) = verdicts(["lecun_normal"], "softplus", 5)

    assert verdict.id == "alike_examples"
    assert "mean cosine is 0.99" in signal_sentence(verdict.id, verdict.evidence)


def test_inputs_that_are_alike_are_no_fault_of_the_start():
    inputs = 1 + 0.05 * np.random.default_rng(0).normal(size=(30, 60))

    (verdict,) = verdicts(["lecun_normal"], "erf", 4, problem=(inputs, np.arange(30)))

    assert verdict.id == "alike_inputs"
    said = signal_sentence(verdict.id, verdict.evidence)
    assert "the inputs are alike: their mean cosine is 0.99" in said
    assert "standardize them" in said


def test_a_dead_network_has_no_signal():
    def dead(shape, rng):
        return -np.abs(rng.normal(size=shape))

    (verdict,) = verdicts({"dead": dead}, "relu", 4)

    assert verdict.id == "no_signal"
    assert "layer 2 is 0" in signal_sentence(verdict.id, verdict.evidence)


def test_squared_and_plain_gradients_are_not_confused():
    (verdict,) = verdicts(["torch_default"], "relu", 12)

    # chi is 1/6: eleven steps between twelve layers.
    assert verdict.evidence["chi"] == pytest.approx(1 / 6, rel=0.1)
    assert verdict.evidence["norm_factor"] == pytest.approx(6**-5.5, rel=0.5)
    low, high = verdict.norm_factor.spread
    assert low <= verdict.norm_factor.median <= high


def test_a_gradient_of_0_is_no_tiny_number():
    (verdict,) = verdicts(["zeros"], "relu", 3)

    assert verdict.norm_factor.median == 0


def test_signals_that_overflow_warn_of_nothing():
    (verdict,) = verdicts(["constant(value=1e200)"], "relu", 4)

    assert verdict.id == "not_finite"


def test_tanh_beyond_all_known_moments_has_a_verdict():
    (verdict,) = verdicts(["normal(std=1e9)"], "tanh", 4)

    assert verdict.id == "saturated_units"


def test_a_single_layer_has_a_verdict():
    (verdict,) = verdicts(["he_normal"], "relu", 1)

    assert verdict.id == "single_layer"
