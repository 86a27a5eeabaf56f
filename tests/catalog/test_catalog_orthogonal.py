"""Orthogonality to rounding, and uniformity over all orthogonal matrices."""

import math

import numpy as np
import pytest

from initlab import catalog

DRAWS = 4000
STANDARD_ERRORS = 5


@pytest.fixture(scope="module")
def haar():
    rng = np.random.default_rng(30)
    return np.stack([catalog.orthogonal((8, 8), rng=rng) for _ in range(DRAWS)])


@pytest.mark.parametrize("gain", [1.0, 2.0, -0.5])
@pytest.mark.parametrize("shape", [(64, 64), (20, 50), (50, 20), (16, 8, 3, 3), (1, 9)])
def test_the_shorter_side_is_orthonormal_times_the_gain(shape, gain):
    weight = catalog.orthogonal(shape, rng=np.random.default_rng(31), gain=gain)

    matrix = weight.reshape(shape[0], -1)
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    expected = gain**2 * np.eye(len(short))
    np.testing.assert_allclose(short @ short.T, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (16, 8, 3, 3)])
def test_the_root_mean_square_is_the_law_exactly(shape):
    weight = catalog.orthogonal(shape, rng=np.random.default_rng(32), gain=3.0)

    law = catalog.get("orthogonal").std(shape, gain=3.0)
    assert np.sqrt(np.mean(weight**2)) == pytest.approx(law, rel=1e-12)


def test_the_expected_trace_is_zero(haar):
    traces = np.trace(haar, axis1=1, axis2=2)

    # Haar: E tr = 0 and E tr^2 = 1 (Diaconis and Shahshahani 1994). QR without the
    # signs gives E tr = -1.59, the SVD variant +.223.
    assert abs(traces.mean()) < STANDARD_ERRORS / math.sqrt(DRAWS)


def test_the_trace_has_a_standard_normals_second_moment(haar):
    traces = np.trace(haar, axis1=1, axis2=2)

    # E tr^4 = 3, so that tr^2 has the variance 2.
    tolerance = STANDARD_ERRORS * math.sqrt(2 / DRAWS)
    assert np.mean(traces**2) == pytest.approx(1, abs=tolerance)


def test_rotations_and_reflections_are_equally_frequent(haar):
    signs = np.linalg.det(haar)

    assert abs(signs.mean()) < STANDARD_ERRORS / math.sqrt(DRAWS)


def test_every_entry_has_mean_zero_and_the_same_second_moment(haar):
    # Of 64 entries each: E q^2 = 1/8, E q^4 = 3 / (8 * 10).
    mean_tolerance = STANDARD_ERRORS * math.sqrt(1 / 8 / DRAWS)
    square_tolerance = STANDARD_ERRORS * math.sqrt((3 / 80 - 1 / 64) / DRAWS)

    assert abs(haar.mean(axis=0)).max() < mean_tolerance
    assert abs((haar**2).mean(axis=0) - 1 / 8).max() < square_tolerance


def test_a_rectangular_draw_is_uniform_too():
    rng = np.random.default_rng(33)

    draws = np.stack([catalog.orthogonal((3, 5), rng=rng) for _ in range(DRAWS)])

    tolerance = STANDARD_ERRORS * math.sqrt(1 / 5 / DRAWS)
    assert abs(draws.mean(axis=0)).max() < tolerance


@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9)])
def test_signs_are_those_that_make_the_diagonal_of_r_positive(shape):
    gaussian = np.random.default_rng(34).standard_normal(shape)

    weight = catalog.orthogonal(shape, rng=np.random.default_rng(34))

    # -Q is as uniform as Q; this convention is PyTorch's, Keras's and JAX's.
    tall = shape[0] >= shape[1]
    r = weight.T @ gaussian if tall else weight @ gaussian.T
    assert np.diagonal(r).min() > 0
    np.testing.assert_allclose(np.tril(r, -1), 0, rtol=0, atol=1e-12)
