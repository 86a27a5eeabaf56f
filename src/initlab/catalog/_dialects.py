"""How PyTorch, Keras and JAX count fans: with their mistakes, as they compute them.

All three know a kernel's shape only, so that strides and packed matrices escape them.
Shapes here are PyTorch's; the other two store kernels as `(*kernel, in, out)`.
"""

import math

from initlab.catalog._checks import Shape, checked_shape
from initlab.spec import LayerSpec


def framework_fans(shape: Shape, framework: str) -> tuple[int, int]:
    """The fans (in, out) as a framework computes them from the kernel that it stores.

    - PyTorch: the second and the first axis, times the kernel. For transposed layers
      they are swapped, and an embedding's are those of its table; with groups fan_out
      is too large by their number.
    - Keras: the same numbers, as its transposed kernels are `(*kernel, out, in)`,
      except for an embedding `(rows, features)`, where they are rows and features,
      and a depthwise layer (one input channel per group, `DepthwiseConv2D`), whose
      kernel `(*kernel, in, multiplier)` makes fan_in too large by the channels.
    - JAX: for Flax's kernels; transposed ones, `(*kernel, in, out)`, are right. An
      embedding's are rows and features.

    Example:
        >>> depthwise = LayerSpec(kind="conv", shape=(64, 1, 3, 3), groups=64)
        >>> framework_fans(depthwise, "torch"), framework_fans(depthwise, "keras")
        ((9, 576), (576, 9))

    References:
        `torch.nn.init._calculate_fan_in_and_fan_out` of 2.13,
        https://docs.pytorch.org/docs/stable/nn.init.html;
        `compute_fans` of Keras 3, https://keras.io/api/layers/initializers/;
        `jax.nn.initializers.variance_scaling` of 0.10,
        https://docs.jax.dev/en/latest/jax.nn.initializers.html
    """
    first, second, *kernel = checked_shape(shape)
    taps = math.prod(kernel)
    if isinstance(shape, LayerSpec) and framework != "torch":
        if shape.kind == "embedding":
            return first, second
        if framework == "keras" and shape.groups > 1 and second == 1:
            return shape.groups * taps, first // shape.groups * taps
        if framework == "jax" and shape.transposed:
            return first * taps, second * taps
    return second * taps, first * taps
