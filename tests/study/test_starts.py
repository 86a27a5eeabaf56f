"""Starting weights and biases of a study: which stream, which place in the network."""

import numpy as np
import pytest

import initlab as il
from initlab import catalog
from initlab.spec import Init
from initlab.study._start import Starts, drawn


def study(widths=(2, 6, 4, 1), **choices):
    return il.Study(network=il.MLP(widths=widths), **choices)


def test_drawn_biases_have_streams_of_their_own():
    starts = drawn(study(seeding="stream"), Init.parse("torch_default"), 3)

    for layer, (weight, bias) in enumerate(starts, start=1):
        seed = study(seeding="stream").seed
        for name, tensor in ((f"W{layer}", weight), (f"b{layer}", bias)):
            rng = il.stream(seed, "weights", 3, name)
            bound = 1 / np.sqrt(weight.shape[1])
            expected = rng.uniform(-bound, bound, tensor.shape)
            assert tensor.tobytes() == expected.tobytes()


def test_legacy_seeding_draws_a_layers_biases_after_its_weight():
    starts = drawn(study(seeding="legacy"), Init.parse("torch_default"), 2)

    rng = np.random.RandomState(study(seeding="legacy").seed + 2)
    for weight, bias in starts:
        bound = 1 / np.sqrt(weight.shape[1])
        assert weight.tobytes() == rng.uniform(-bound, bound, weight.shape).tobytes()
        assert bias.tobytes() == rng.uniform(-bound, bound, bias.shape).tobytes()


@pytest.mark.parametrize("seeding", ["legacy", "stream"])
def test_a_stated_bias_is_every_units_and_is_added_to_drawn_ones(seeding):
    chosen = study(seeding=seeding)

    plain = drawn(chosen, Init.parse("he_normal(bias=0.5)"), 0)
    shifted = drawn(chosen, Init.parse("torch_default(bias=0.5)"), 0)

    assert all((bias == 0.5).all() for _, bias in plain)
    for (_, bias), (_, unshifted) in zip(
        shifted, drawn(chosen, Init.parse("torch_default"), 0), strict=True
    ):
        np.testing.assert_array_equal(bias, unshifted + 0.5)


def test_biases_that_are_not_drawn_leave_the_legacy_numbers_alone():
    starts = drawn(study(seeding="legacy"), Init.parse("he_normal"), 0)

    rng = np.random.RandomState(study(seeding="legacy").seed)
    for weight, _ in starts:
        expected = catalog.draw("he_normal", weight.shape, rng=rng)
        assert weight.tobytes() == expected.tobytes()


def test_a_study_trains_from_drawn_biases():
    results = il.run(study(inits=["torch_default"], steps=20, members=2), threads=1)

    assert np.isfinite(results.loss.values).all()


def test_siren_knows_the_first_layer_of_a_study():
    first, second, *_ = drawn(study(widths=(2, 40, 40, 1)), Init.parse("siren"), 0)

    assert 0.3 < abs(first[0]).max() <= 1 / 2
    assert abs(second[0]).max() <= np.sqrt(6 / 40) / 30


def test_a_place_that_is_stated_wins():
    first, *_ = drawn(study(), Init.parse("siren(first=false)"), 0)

    assert abs(first[0]).max() <= np.sqrt(6 / 2) / 30


@pytest.mark.parametrize("widths", [(3, 8, 8, 2), (3, 1), (3, 8, 6, 4, 1)])
def test_looks_linear_makes_a_relu_network_of_a_study_linear(widths):
    layers = drawn(study(widths=widths), Init.parse("looks_linear"), 0)

    def network(x):
        for weight, _ in layers[:-1]:
            x = np.maximum(x @ weight.T, 0)
        return x @ layers[-1][0].T

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 7, widths[0]))
    np.testing.assert_allclose(network(2 * x - 3 * y), 2 * network(x) - 3 * network(y))


def test_the_classic_lessons_odd_layer_is_accepted():
    starts = drawn(study(widths=(2, 10, 5, 1)), Init.parse("looks_linear"), 0)

    shapes = [weight.shape for weight, _ in starts]

    assert shapes == [(10, 2), (5, 10), (1, 5)]


def test_the_first_of_each_init_is_drawn_once():
    seen = []

    def mine(shape, rng):
        seen.append(shape)
        return rng.normal(size=shape)

    starts = Starts(study((2, 3, 1), inits=[mine], members=2), {})

    assert starts[0] is starts[0]
    assert len(seen) == 2
    starts[1]
    assert len(seen) == 4
