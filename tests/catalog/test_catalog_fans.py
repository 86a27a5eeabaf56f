"""Fans of layers against what layers do, and against the numbers of frameworks."""

import numpy as np
import pytest

from initlab import catalog
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import LayerSpec


def conv(*shape, **choices):
    return LayerSpec(kind="conv", shape=shape, **choices)


LAYERS = [
    (LayerSpec(shape=(10, 2)), (2, 10)),
    (LayerSpec(shape=(80, 10), packed=4), (10, 20)),
    (LayerSpec(kind="embedding", shape=(1000, 16)), (1, 16)),
    (conv(64, 32, 3, 3), (288, 576)),
    (conv(64, 4, 3, 3, groups=8), (36, 72)),
    (conv(64, 1, 3, 3, groups=64), (9, 9)),
    (conv(8, 4, 3, stride=(2,)), (12, 12)),
    (conv(8, 4, 3, stride=(2,), dilation=(3,)), (12, 12)),
    (conv(8, 4, 3, transposed=True), (24, 12)),
    (conv(8, 4, 3, groups=2, transposed=True), (12, 12)),
    (conv(8, 4, 4, 4, stride=(2, 2), transposed=True), (32, 64)),
    (conv(8, 4, 3, stride=(2,), transposed=True), (12, 12)),
    (conv(8, 5, 3, 3, stride=(2, 2), transposed=True), (18, 45)),
    (conv(2, 5, 3, stride=(4,), transposed=True), (1.5, 15)),
]


@pytest.mark.parametrize(("layer", "expected"), LAYERS)
def test_fans_count_what_the_layer_does(layer, expected):
    assert catalog.fans(layer) == expected
    assert catalog.fan(layer, "fan_geometric") ** 2 == pytest.approx(
        expected[0] * expected[1]
    )


def matrix_of(layer, inputs, weight):
    """The one-dimensional convolution as a matrix (outputs, inputs), no padding."""
    stride, dilation = layer.strides[0], layer.dilations[0]
    groups, (first, second, size) = layer.groups, layer.shape
    span = dilation * (size - 1) + 1
    if layer.transposed:
        shape = (groups * second, (inputs - 1) * stride + span, first, inputs)
    else:
        shape = (first, (inputs - span) // stride + 1, groups * second, inputs)
    matrix = np.zeros(shape)
    share = first // groups
    for row in range(first):
        for column in range(second):
            other = row // share * second + column
            for tap in range(size):
                for position in range(inputs if layer.transposed else shape[1]):
                    reached = position * stride + tap * dilation
                    entry = weight[row, column, tap]
                    if layer.transposed:
                        matrix[other, reached, row, position] = entry
                    else:
                        matrix[row, position, other, reached] = entry
    return matrix


@pytest.mark.parametrize(
    "layer",
    [layer for layer, _ in LAYERS if len(layer.kernel) == 1]
    + [
        conv(4, 3, 5, stride=(3,), dilation=(2,)),
        conv(4, 3, 4, stride=(2,), dilation=(2,), transposed=True),
        conv(4, 3, 2, stride=(3,), transposed=True),
    ],
)
def test_fans_and_phases_are_the_nonzero_entries_of_the_layer_as_a_matrix(layer):
    matrix = matrix_of(layer, 121, np.ones(layer.shape)) != 0
    fans, stride = catalog.fans(layer), layer.strides[0]
    middle = slice(60 // stride * stride, 60 // stride * stride + stride)
    by_output, by_input = matrix.sum(axis=(2, 3))[0], matrix.sum(axis=(0, 1))[0]

    if layer.transposed:
        varying, fan, constant, other = by_output, fans.fan_in, by_input, fans.fan_out
    else:
        varying, fan, constant, other = by_input, fans.fan_out, by_output, fans.fan_in

    phases = catalog.phases(layer)
    assert constant[len(constant) // 2] == other
    assert varying[middle].mean() == pytest.approx(fan)
    np.testing.assert_allclose(varying[middle] / fan, phases.variance, rtol=1e-12)
    assert phases.variance.mean() == pytest.approx(1)
    assert phases.holes == (varying[middle] == 0).sum()


def test_a_kernel_of_three_alternates_two_taps_and_one_at_stride_two():
    phases = catalog.phases(conv(8, 8, 3, stride=(2,), transposed=True))

    assert phases.taps.tolist() == [2, 1]
    assert phases.mean_taps == 1.5
    assert phases.holes == 0


def test_without_stride_there_is_one_phase():
    phases = catalog.phases(conv(8, 8, 3, 3, 3))

    assert phases.taps.tolist() == [[[27]]]
    assert phases.variance.tolist() == [[[1.0]]]


def test_a_layer_without_kernel_has_no_phases():
    with pytest.raises(InvalidValueError, match="only convolutions have phases"):
        catalog.phases(LayerSpec(shape=(3, 2)))


# What torch 2.13, Keras 3.14 and Flax compute from the kernels that they store.
@pytest.mark.parametrize(
    ("layer", "torch", "keras", "jax"),
    [
        (LayerSpec(shape=(10, 2)), (2, 10), (2, 10), (2, 10)),
        (LayerSpec(shape=(80, 10), packed=4), (10, 80), (10, 80), (10, 80)),
        (LayerSpec(kind="embedding", shape=(9, 4)), (4, 9), (9, 4), (9, 4)),
        (conv(64, 4, 3, 3, groups=8), (36, 576), (36, 576), (36, 576)),
        (conv(64, 1, 3, groups=64), (3, 192), (192, 3), (3, 192)),
        (conv(64, 1, 3, groups=32), (3, 192), (96, 6), (3, 192)),
        (conv(64, 256, 2, transposed=True), (512, 128), (512, 128), (128, 512)),
        (conv(8, 4, 4, stride=(2,)), (16, 32), (16, 32), (16, 32)),
    ],
)
def test_dialects_count_as_their_framework_does(layer, torch, keras, jax):
    assert catalog.fans(layer, "torch") == torch
    assert catalog.fans(layer, "keras") == keras
    assert catalog.fans(layer, "jax") == jax


@pytest.mark.parametrize("shape", [(10, 2), (64, 32, 3, 3)])
def test_a_bare_shape_is_an_ordinary_layer_in_every_dialect(shape):
    counted = {
        catalog.fans(shape, dialect) for dialect in ("initlab", "torch", "keras", "jax")
    }

    assert len(counted) == 1


@pytest.mark.usefixtures("as_users_run")
def test_an_unknown_dialect_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'torch'"):
        catalog.fans((10, 2), "torsh")


@pytest.mark.parametrize("layer", [layer for layer, _ in LAYERS])
@pytest.mark.parametrize("init", ["he_normal", "glorot_uniform(mode=fan_geometric)"])
def test_the_law_of_a_layer_is_that_of_its_fans(init, layer):
    weight = catalog.draw(init, layer, rng=np.random.default_rng(0))

    if init == "he_normal":
        law = np.sqrt(2 / catalog.fans(layer).fan_in)
    else:
        law = np.sqrt(1 / catalog.fan(layer, "fan_geometric"))

    # Five standard errors of a normal sample's standard deviation.
    assert weight.std() == pytest.approx(law, rel=5 / np.sqrt(2 * weight.size))


@pytest.mark.parametrize(
    "layer",
    [
        conv(40, 10, 3, groups=4),
        conv(40, 20, 3, transposed=True),
        conv(40, 20, 4, stride=(2,), transposed=True),
        conv(40, 20, 3, stride=(2,), transposed=True),
    ],
)
def test_lecuns_weights_keep_the_mean_variance_of_a_layers_outputs(layer):
    rng = np.random.default_rng(1)
    variances = []
    for _ in range(60):
        matrix = matrix_of(layer, 24, catalog.draw("lecun_normal", layer, rng=rng))
        size = matrix.shape[1]
        # Of unit-variance inputs, without the borders: whole strides in the middle.
        middle = slice(size // 4 * 2 - 4, size // 4 * 2 + 4)
        variances.append((matrix**2).sum(axis=(2, 3))[:, middle].mean())

    spread = np.std(variances) / np.sqrt(len(variances))
    assert np.mean(variances) == pytest.approx(1, abs=5 * spread)
