"""Reductions: cosines, equal rows, fingerprints, logits that a mask hides."""

import math

import pytest
import torch

from initlab.capture._logits import logit_statistics
from initlab.capture._moments import (
    cosines,
    equal_rows,
    is_zero,
    moments,
    token_cosine,
)
from initlab.capture._parameters import _fingerprint

DIAGONAL = math.sqrt(0.5)


def test_an_example_of_zeros_has_no_direction_and_is_left_out():
    x = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])

    assert cosines(x)[0] == pytest.approx(DIAGONAL, rel=1e-6)
    assert token_cosine(x[None]) == pytest.approx(DIAGONAL, rel=1e-6)


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_what_is_not_finite_has_no_cosine(bad):
    x = torch.tensor([[1.0, 0.0], [bad, 0.0], [1.0, 1.0]])

    assert math.isnan(cosines(x)[0])


def test_one_example_beside_zeros_has_none_to_be_compared_with():
    assert math.isnan(cosines(torch.tensor([[1.0, 2.0], [0.0, 0.0]]))[0])


def test_examples_that_differ_by_a_constant_are_alike_when_centred():
    plain, centred = cosines(torch.tensor([[1.0, 2.0, 3.0], [-5.0, -4.0, -3.0]]))

    assert plain < 0
    assert centred == pytest.approx(1.0, rel=1e-6)


def test_a_small_deviation_about_a_large_mean_keeps_its_digits():
    """The difference of float32 squares is off by several percent here."""
    noise = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))

    found = moments(1 + 3e-3 * noise)

    assert found.std == pytest.approx(3e-3, rel=5e-3)


@pytest.mark.parametrize("column", [0, 1, 127])
@pytest.mark.parametrize("shape", [(512, 128), (1000, 128), (96, 4096)])
def test_a_fingerprint_knows_every_column(shape, column):
    values = torch.randn(shape)
    other = values.clone()
    other[:, column] += 1
    assert _fingerprint(values) == _fingerprint(values.clone())
    assert _fingerprint(values) != _fingerprint(other)


def test_rows_are_equal_that_are_as_long_and_as_close():
    rows = torch.randn(400, 3)
    rows[7] = rows[300]
    rows[8] = -rows[301]  # as long, and apart
    assert equal_rows(rows) == [[7, 300]]


@pytest.mark.parametrize(
    "entries", [[0.0, 0.0], [0.0, 1e-30], [-1.0, 0.0], [0.0, math.nan], []]
)
def test_only_zeros_are_zero(entries):
    assert is_zero(torch.tensor(entries)) is (not any(entries))


def test_hidden_logits_do_not_count():
    """What a mask makes infinite, or very negative, or -100."""
    shown = torch.tensor([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]])
    known = logit_statistics(shown)
    for hidden in ([-math.inf], [-1e9], [-100.0], [-math.inf, -100.0]):
        padded = torch.cat([shown, torch.tensor([hidden * 4] * 2)], dim=1)
        assert logit_statistics(padded) == pytest.approx(known)
