"""Rows of the catalog that are orthogonal, or made of an orthogonal matrix.

>>> next(iter(ORTHOGONAL))
'orthogonal'
"""

from collections.abc import Mapping

from initlab.catalog import _delta_orthogonal, _looks_linear, _orthogonal
from initlab.catalog._entry import Entry

ORTHOGONAL: Mapping[str, Entry] = {
    "orthogonal": Entry(
        draw=_orthogonal.orthogonal,
        std=_orthogonal.orthogonal_std,
        distribution="orthogonal",
        excess_kurtosis=_orthogonal.orthogonal_kurtosis,
        needs=("layer",),
        formula="gain * Q, Q uniform over orthogonal matrices",
        cite="saxe2014",
        summary="every singular value equals the gain",
        use_when="deep or recurrent networks, with the activation's gain",
        not_when="bare shapes that pack several matrices, such as an LSTM's four "
        "gates: give the layer with packed=4",
    ),
    "delta_orthogonal": Entry(
        draw=_delta_orthogonal.delta_orthogonal,
        std=_delta_orthogonal.delta_orthogonal_std,
        distribution="delta_orthogonal",
        excess_kurtosis=_delta_orthogonal.delta_orthogonal_kurtosis,
        needs=("conv", "layer"),
        formula="gain * Q at the kernel's centre, else 0; out >= in",
        cite="xiao2018",
        summary="convolution that keeps norms: orthogonal at its centre",
        use_when="very deep convolutional networks without normalization or skips",
        not_when="layers with fewer outputs than inputs, or even kernels, which shift",
    ),
    "looks_linear": Entry(
        draw=_looks_linear.looks_linear,
        std=_looks_linear.looks_linear_std,
        distribution="mirrored_orthogonal",
        excess_kurtosis=_looks_linear.looks_linear_kurtosis,
        needs=("layer", "position"),
        full_rank=False,
        formula="gain * [[Q, -Q], [-Q, Q]]; first layer [[Q], [-Q]], last [[Q, -Q]]",
        cite="balduzzi2017",
        summary="units in opposite pairs: a ReLU network that starts linear",
        use_when="very deep ReLU networks without skips, all widths even",
        not_when="other activations; odd widths, whose last unit has no opposite",
    ),
}
