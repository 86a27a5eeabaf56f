"""Standard deviations that keep a signal, written out: the models are started by hand.

Nothing here comes from initlab, so that the benchmark can judge it.
"""

import math

from torch import Tensor, nn

# 1 / sqrt(E f(z)^2) for a standard normal z.
GAINS = {
    "relu": math.sqrt(2),
    "tanh": 1.0,  # critical from q = 0
    "gelu": 1.5335,
    "silu": 1.6765,
    "selu": 1.0,
    "elu": 1.2452,
    "linear": 1.0,
}


def inputs_of_unit(layer: nn.Module) -> float:
    """How many numbers each output adds up, from the layer and not from its shape."""
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        taps = math.prod(layer.kernel_size) / math.prod(layer.stride)
        return layer.in_channels // layer.groups * taps
    return math.prod(layer.weight.shape[1:])


def start(layer: nn.Module, activation: str = "linear", scale: float = 1.0) -> None:
    """Draw a layer's weight at the gain of an activation; its bias is 0."""
    deviation = scale * GAINS[activation] / math.sqrt(inputs_of_unit(layer))
    nn.init.normal_(layer.weight, std=deviation)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def start_all(model: nn.Module, activation: str) -> None:
    """Draw every linear layer and convolution of a model so."""
    for layer in weighted(model):
        start(layer, activation)


def weighted(model: nn.Module) -> list[nn.Module]:
    """The linear layers and convolutions of a model, as registered."""
    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    return [layer for layer in model.modules() if isinstance(layer, kinds)]


def flat(tensor: Tensor) -> Tensor:
    """A tensor's examples as vectors."""
    return tensor.flatten(1)
