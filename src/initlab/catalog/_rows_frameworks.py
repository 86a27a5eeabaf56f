"""Rows of the catalog that frameworks take unasked.

>>> next(iter(FRAMEWORKS))
'torch_default'
"""

from collections.abc import Mapping

from initlab.catalog import _frameworks, _kurtosis
from initlab.catalog._entry import Entry

FRAMEWORKS: Mapping[str, Entry] = {
    "torch_default": Entry(
        draw=_frameworks.torch_default,
        std=_frameworks.torch_default_std,
        distribution="uniform",
        excess_kurtosis=_frameworks.torch_default_kurtosis,
        bias=_frameworks.torch_default_bias,
        needs=("layer",),
        formula="U(-b, b), b = 1 / sqrt(fan_in), biases too",
        cite="paszke2019",
        summary="what PyTorch's layers start with, random biases included",
        use_when="comparing with a PyTorch model whose initialization nobody set",
        not_when="deep networks without normalization: ReLU's squared gradients "
        "shrink to 1/6 in every layer",
    ),
    "keras_default": Entry(
        draw=_frameworks.keras_default,
        std=_frameworks.keras_default_std,
        distribution="uniform",
        excess_kurtosis=_kurtosis.uniform_kurtosis,
        needs=("layer",),
        formula="U(-b, b), b = sqrt(6 / (fan_in + fan_out)), Keras's fans; biases 0",
        cite="keras2015",
        summary="what Keras's layers start with",
        use_when="comparing with a Keras model whose initialization nobody set",
        not_when="deep ReLU networks; depthwise layers, whose fan_in Keras takes for "
        "that of all channels",
    ),
    "flax_default": Entry(
        draw=_frameworks.flax_default,
        std=_frameworks.flax_default_std,
        distribution="truncated_normal",
        excess_kurtosis=_frameworks.flax_default_kurtosis,
        needs=("layer",),
        formula="N(0, 1 / fan_in) cut at 2 sd and widened, JAX's fans; biases 0",
        cite="heek2020",
        summary="what Flax's layers start with",
        use_when="comparing with a Flax model whose initialization nobody set",
        not_when="deep ReLU networks: the second moment halves in every layer",
    ),
}
