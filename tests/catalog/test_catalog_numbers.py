"""Numbers that must not move: the classic lesson's, and its arithmetic to the bit."""

import math

import numpy as np
import pytest

from initlab import catalog

# course.json, "expected_parameters": printed by the lesson with eight decimals.
HALF_OF_THE_LAST_DIGIT = 5e-9
LESSON_SEED = 3
HE_2_4_1 = [
    [
        [1.78862847, 0.43650985],
        [0.09649747, -1.8634927],
        [-0.2773882, -0.35475898],
        [-0.08274148, -0.62700068],
    ],
    [[-0.03098412, -0.33744411, -0.92904268, 0.62552248]],
]
RANDOM_X10_3_2_1 = [
    [[17.88628473, 4.36509851, 0.96497468], [-18.63492703, -2.77388203, -3.54758979]],
    [[-0.82741481, -6.27000677]],
]


@pytest.mark.parametrize(
    ("init", "expected"),
    [("he_normal", HE_2_4_1), ("normal(std=10)", RANDOM_X10_3_2_1)],
)
def test_the_lessons_weights_come_layer_by_layer_from_one_state(init, expected):
    rng = np.random.RandomState(LESSON_SEED)

    layers = [catalog.draw(init, np.shape(layer), rng=rng) for layer in expected]

    for actual, printed in zip(layers, expected, strict=True):
        np.testing.assert_allclose(
            actual, printed, rtol=0, atol=HALF_OF_THE_LAST_DIGIT * 1.01
        )


def test_zeros_are_the_lessons_zeros():
    weight = catalog.draw("zeros", (2, 3), rng=np.random.RandomState(LESSON_SEED))

    assert weight.tobytes() == np.zeros((2, 3)).tobytes()


def test_ten_times_normal_is_the_lessons_randn_to_the_last_bit():
    expected = np.random.RandomState(LESSON_SEED).randn(10, 2) * 10

    actual = catalog.draw(
        "normal(std=10)", (10, 2), rng=np.random.RandomState(LESSON_SEED)
    )

    assert actual.tobytes() == expected.tobytes()


# A rounded sqrt(2)**2 misses sqrt(2 / n) by a bit at 3, 10 and 12,288.
@pytest.mark.parametrize("fan_in", [1, 2, 3, 5, 10, 12_288])
def test_he_normal_is_the_lessons_he_to_the_last_bit(fan_in):
    randn = np.random.RandomState(LESSON_SEED).randn(10, fan_in)
    expected = randn * np.sqrt(2 / fan_in)

    actual = catalog.he_normal((10, fan_in), rng=np.random.RandomState(LESSON_SEED))

    assert actual.tobytes() == expected.tobytes()


@pytest.mark.parametrize("fan_in", [2, 3, 10])
def test_lesson_xavier_is_the_lessons_to_the_last_bit(fan_in):
    randn = np.random.RandomState(LESSON_SEED).randn(4, fan_in)
    expected = randn * np.sqrt(1 / fan_in)

    actual = catalog.lesson_xavier((4, fan_in), rng=np.random.RandomState(LESSON_SEED))

    assert actual.tobytes() == expected.tobytes()


def test_the_truncated_widths_constant_is_the_cut_normals_own():
    law = catalog.get("truncated_normal").std((2, 2), std=1.0, bound=2.0)

    assert law == pytest.approx(0.87962566103423978, rel=1e-15)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 2), [[1, 0], [0, 1]]),
        ((2, 3), [[1, 0, 0], [0, 1, 0]]),
        ((3, 2), [[1, 0], [0, 1], [0, 0]]),
        ((1, 1, 3), [[[0, 1, 0]]]),
    ],
)
def test_the_identity_is_partial_and_sits_at_the_kernels_centre(shape, expected):
    weight = catalog.identity(shape, rng=np.random.default_rng(0))

    assert weight.tolist() == expected


def test_an_identity_kernel_has_one_entry_per_channel():
    weight = catalog.identity((4, 3, 3, 5), rng=np.random.default_rng(0), gain=2.0)

    assert weight[:, :, 1, 2].tolist() == (2 * np.eye(4, 3)).tolist()
    assert weight.sum() == 6


def test_population_std_of_a_small_identity():
    entries = [1, 0, 0, 0, 1, 0]

    law = catalog.get("identity").std((2, 3))

    assert law == pytest.approx(math.sqrt(np.var(entries)))
