"""Rows of the catalog whose weights are not random.

>>> next(iter(FIXED))
'zeros'
"""

from collections.abc import Mapping

from initlab.catalog import _constant, _hadamard, _partial_identity, _sinusoidal
from initlab.catalog._entry import Entry

FIXED: Mapping[str, Entry] = {
    "zeros": Entry(
        draw=_constant.zeros,
        std=_constant.constant_std,
        distribution="fixed",
        full_rank=False,
        distinct_units=False,
        formula="0",
        cite="rumelhart1986",
        summary="all weights 0",
        use_when="biases, and a last layer that shall start at the same output "
        "for every input",
        not_when="hidden layers: all units get the same gradient and stay alike",
    ),
    "ones": Entry(
        draw=_constant.ones,
        std=_constant.constant_std,
        distribution="fixed",
        full_rank=False,
        distinct_units=False,
        formula="1",
        cite="goodfellow2016",
        summary="all weights 1",
        use_when="the scale of a normalization layer",
        not_when="weight matrices: all units stay alike",
    ),
    "constant": Entry(
        draw=_constant.constant,
        std=_constant.constant_std,
        distribution="fixed",
        full_rank=False,
        distinct_units=False,
        formula="value",
        cite="goodfellow2016",
        summary="all weights the same number",
        use_when="showing that symmetry, not zero, is what stops learning",
        not_when="weight matrices: all units stay alike",
    ),
    "identity": Entry(
        draw=_partial_identity.identity,
        std=_partial_identity.identity_std,
        distribution="fixed",
        needs=("layer",),
        distinct_units=False,
        formula="gain * I",
        cite="le2015",
        summary="each unit passes on the input of its index",
        use_when="recurrent weights with ReLU, and layers that shall start as "
        "the identity",
        not_when="layers that grow: surplus units start at 0 and alike",
    ),
    "dirac": Entry(
        draw=_partial_identity.dirac,
        std=_partial_identity.dirac_std,
        distribution="fixed",
        needs=("conv", "layer"),
        distinct_units=False,
        formula="1 at the kernel's centre from channel c to channel c, else 0",
        cite="zagoruyko2017",
        summary="each channel passes unchanged, as PyTorch's dirac_",
        use_when="convolutions that shall start as the identity, without skips",
        not_when="layers that grow: surplus channels start at 0 and alike",
    ),
    "zero_hadamard": Entry(
        draw=_hadamard.zero_hadamard,
        std=_hadamard.zero_hadamard_std,
        distribution="fixed",
        needs=("layer",),
        distinct_units=False,
        formula="I where out <= in; else the corner (out, in) of H_P / sqrt(P), "
        "P the next power of two",
        cite="zhao2022",
        summary="ZerO: partial identity, Hadamard where the layer grows",
        use_when="residual networks that shall start alike in every run, with zeros "
        "in the last layer of each branch",
        not_when="growing layers that must keep norms: it is no isometry there unless "
        "out is a power of two, and units repeat where P > 2 in",
    ),
    "sinusoidal": Entry(
        draw=_sinusoidal.sinusoidal,
        std=_sinusoidal.sinusoidal_std,
        distribution="fixed",
        needs=("layer",),
        full_rank=False,
        distinct_units=False,
        formula="a sin(2 pi i (j / n + 1 / m)), variance 2 / (m + n), m x n weights",
        cite="fernandez2025",
        summary="one sine wave per unit, nothing random",
        use_when="comparing with the paper, on layers with fewer units than inputs",
        not_when="square layers: half of the rank is missing, 127 of 256, and two "
        "units are 0",
    ),
}
