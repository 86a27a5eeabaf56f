"""What the layers of PyTorch, Keras and Flax start with if nobody says otherwise.

Linear layers, convolutions and embeddings; recurrent layers have defaults of their own.

    >>> layer = LayerSpec(kind="embedding", shape=(100, 16))
    >>> torch_default_std(layer), round(keras_default_std(layer), 4)
    (1.0, 0.0289)
"""

import math

import numpy as np
from jaxtyping import Float64

from initlab.catalog._blocks import blocks
from initlab.catalog._checks import Shape
from initlab.catalog._fans import fan
from initlab.catalog._kurtosis import truncated_normal_kurtosis
from initlab.catalog._rng import Rng, Weight, checked_rng, standard_normal, uniform
from initlab.catalog._scaling import truncated_of_std, uniform_of_std
from initlab.spec import LayerSpec

# `keras.layers.Embedding`: RandomUniform, whose bounds are -0.05 and 0.05.
_KERAS_EMBEDDING_BOUND = 0.05


def torch_default(shape: Shape, *, rng: Rng) -> Weight:
    """PyTorch's default: U(-b, b), b = 1 / sqrt(fan_in), for weights and biases.

    `reset_parameters` calls `kaiming_uniform_(a=sqrt(5))`, whose bound is
    sqrt(6 / ((1 + 5) fan_in)). The fan is PyTorch's own: a transposed convolution's is
    its fan_out. Embeddings are standard normal.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one draw per entry, and by nothing else.

    Example:
        >>> weight = torch_default((10, 4), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 0.5)
        True

    References:
        PyTorch 2.13, `torch.nn.Linear.reset_parameters`,
        https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """
    if _is_embedding(shape):
        return standard_normal(shape, rng)
    bound = _torch_bound(shape)
    return uniform(shape, rng, -bound, bound)


def torch_default_std(shape: Shape) -> float:
    """1 / sqrt(3 fan_in); 1 for embeddings.

    Example:
        >>> round(torch_default_std((10, 3)), 6)
        0.333333
    """
    return 1.0 if _is_embedding(shape) else _torch_bound(shape) / math.sqrt(3)


def torch_default_kurtosis(shape: Shape) -> float:
    """-6/5 of a uniform distribution; 0 for embeddings.

    Example:
        >>> torch_default_kurtosis((10, 3))
        -1.2
    """
    return 0.0 if _is_embedding(shape) else -1.2


def torch_default_bias(shape: Shape, *, rng: Rng) -> Float64[np.ndarray, " unit"]:
    """PyTorch's default biases: U(-b, b) with the weights' own bound.

    Example:
        >>> torch_default_bias((10, 4), rng=np.random.default_rng(0)).shape
        (10,)
    """
    parts, outputs, *_ = blocks(shape)
    bound = _torch_bound(shape)
    return checked_rng(rng).uniform(-bound, bound, parts * outputs)


def keras_default(shape: Shape, *, rng: Rng) -> Weight:
    """Keras's default: Glorot's uniform with Keras's fans; biases 0.

    Embeddings are U(-0.05, 0.05).

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one uniform draw per entry, and by nothing else.

    Example:
        >>> weight = keras_default((4, 2), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 1)
        True

    References:
        Chollet et al. (2015), https://keras.io/api/layers/initializers/
    """
    return uniform_of_std(shape, rng, keras_default_std(shape))


def keras_default_std(shape: Shape) -> float:
    """sqrt(2 / (fan_in + fan_out)); 0.05 / sqrt(3) for embeddings.

    Example:
        >>> keras_default_std((6, 2))
        0.5
    """
    if _is_embedding(shape):
        return _KERAS_EMBEDDING_BOUND / math.sqrt(3)
    return math.sqrt(1 / fan(shape, "fan_avg", "keras"))


def flax_default(shape: Shape, *, rng: Rng) -> Weight:
    """Flax's default: LeCun's normal, truncated, with JAX's fans; biases 0.

    Embeddings `(rows, features)` are N(0, 1 / features), not truncated.

    Args:
        shape: `(fan_out, fan_in)` or `(out, in, *kernel)`, or a layer.
        rng: Advanced by one draw per entry, and by nothing else.

    Example:
        >>> weight = flax_default((10, 4), rng=np.random.default_rng(0))
        >>> bool(abs(weight).max() <= 0.5 * 2 / 0.879)
        True

    References:
        Heek et al. (2020), `flax.linen.Dense`,
        https://flax.readthedocs.io/en/latest/api_reference/flax.linen/layers.html
    """
    std = flax_default_std(shape)
    if _is_embedding(shape):
        return standard_normal(shape, rng) * std
    return truncated_of_std(shape, rng, std)


def flax_default_std(shape: Shape) -> float:
    """sqrt(1 / fan_in); sqrt(1 / features) for embeddings.

    Example:
        >>> flax_default_std((10, 4))
        0.5
    """
    if _is_embedding(shape):
        return math.sqrt(1 / fan(shape, "fan_out"))
    return math.sqrt(1 / fan(shape, "fan_in", "jax"))


def flax_default_kurtosis(shape: Shape) -> float:
    """Of a normal distribution cut at 2; 0 for embeddings.

    Example:
        >>> round(flax_default_kurtosis((10, 3)), 4)
        -0.6345
    """
    return 0.0 if _is_embedding(shape) else truncated_normal_kurtosis(shape)


def _is_embedding(shape: Shape) -> bool:
    return isinstance(shape, LayerSpec) and shape.kind == "embedding"


def _torch_bound(shape: Shape) -> float:
    return 1 / math.sqrt(fan(shape, "fan_in", "torch"))
