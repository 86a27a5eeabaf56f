"""Layers in plain NumPy: taps are counted, gradients are adjoints."""

import numpy as np
import pytest

from initlab.spec import LayerSpec
from initlab.testing import propagate, taps
from initlab.testing._layers import input_shape
from initlab.testing._signals import LAYERS

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=str)


@every_layer
@pytest.mark.parametrize("backward", [False, True])
def test_taps_are_what_a_signal_of_ones_counts(layer, backward):
    ones = np.ones((1, *input_shape(layer, backward=backward)))

    counted = propagate(layer, np.ones(layer.shape), ones, backward=backward)

    # Gradients of packed matrices add up, but each is a layer of its own.
    layers = layer.packed if backward else 1
    assert counted.mean() == pytest.approx(layers * taps(layer)[backward])


@every_layer
def test_backward_is_the_adjoint_of_forward(layer):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal(layer.shape)
    inputs = rng.standard_normal((2, *input_shape(layer, backward=False)))
    outputs = propagate(layer, weight, inputs)
    gradients = rng.standard_normal(outputs.shape)

    back = propagate(layer, weight, gradients, backward=True)

    assert np.vdot(outputs, gradients) == pytest.approx(np.vdot(inputs, back))


def test_a_convolution_is_the_sum_of_its_definition():
    rng = np.random.default_rng(1)
    layer = LayerSpec(kind="conv", shape=(4, 3, 3), groups=2, stride=(2,))
    weight, inputs = rng.standard_normal((4, 3, 3)), rng.standard_normal((1, 6, 8))

    outputs = propagate(layer, weight, inputs)

    # Output 3, of the second group, at position 1: inputs 3..5 at positions 2..4.
    expected = np.sum(weight[3] * inputs[0, 3:, 2:5])
    assert outputs[0, 3, 1] == pytest.approx(expected)
    assert outputs.shape == (1, 4, 4)
