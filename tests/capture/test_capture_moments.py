"""Cosines between examples and tokens: rows of zeros and of nothing finite."""

import math

import pytest
import torch

from initlab.capture._moments import cosines, moments, token_cosine

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
