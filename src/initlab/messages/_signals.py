"""What signals at initialization say, in words: one sentence per verdict."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

VerdictId = Literal[
    "critical",
    "chaotic",
    "ordered",
    "growing_gradient",
    "shrinking_gradient",
    "exploding_gradient",
    "vanishing_gradient",
    "alike_examples",
    "alike_inputs",
    "saturated_units",
    "symmetric_units",
    "no_signal",
    "single_layer",
    "not_finite",
]

SIGNALS: Mapping[VerdictId, str] = MappingProxyType(
    {
        "critical": "critical: {flow}: trainable",
        "chaotic": "chaotic: {flow}: trainable{better}",
        "ordered": "ordered: {flow}: trainable{better}",
        "growing_gradient": (
            "chaotic: {flow}: gradient descent fails on half of the networks like this "
            "one, Adam on some{better}"
        ),
        "shrinking_gradient": (
            "ordered: {flow}: gradient descent fails on half of the networks like this "
            "one, Adam on hardly any{better}"
        ),
        "exploding_gradient": (
            "the gradient explodes: {flow}: gradient descent fails on networks like "
            "this one, Adam on many{better}"
        ),
        "vanishing_gradient": (
            "the gradient vanishes: {flow}: gradient descent fails on networks like "
            "this one, Adam on many{better}"
        ),
        "alike_examples": (
            "examples become alike: their mean cosine is {cosine:.3f} in the last "
            "hidden layer; {flow}{better}"
        ),
        "alike_inputs": (
            "the inputs are alike: their mean cosine is {input_cosine:.3f}, and "
            "{cosine:.3f} in the last hidden layer: standardize them before blaming "
            "the start; {flow}"
        ),
        "saturated_units": (
            "saturated: {saturated_share:.0%} of the activations of layer {layer} lie "
            "where the activation is flat; {flow}"
        ),
        "symmetric_units": (
            "all {units} units of layer {layer} are copies of each other: "
            "1 distinct unit"
        ),
        "no_signal": "no signal: every activation of layer {layer} is 0",
        "single_layer": (
            "a single layer: nothing passes from layer to layer, so its scale is all "
            "that the start decides"
        ),
        "not_finite": "the signal overflows on its way",
    }
)

SIGNAL_QUESTION = (
    "Before any training: does the signal reach the outputs, do different inputs stay "
    "different, and does the gradient come back?"
)
SIGNAL_CAVEAT = (
    "Spread: quantiles over the members, 5 % to 95 %. Gradients are those of the "
    "outputs times random numbers. A squared gradient norm grows by chi from one layer "
    "to the one below, the norm by its square root. Dashed lines: what a wide network "
    "is expected to do; dotted: between them lie 90 % of networks of these widths, for "
    "one input."
)


def signal_title(activation: str, layers: int) -> str:
    """Return the page's title."""
    return f"Signals at initialization: {activation}, {layers} layers"


def signal_sentence(verdict: VerdictId, evidence: Mapping[str, Any]) -> str:
    """Return what an init does to signals, in one sentence.

    Example:
        >>> signal_sentence(
        ...     "chaotic",
        ...     {"chi": 1.106, "chi_1": 1.106, "norm_factor": 12.0, "layers": 50,
        ...      "critical_inits": ["lecun_normal"]},
        ... )
        'chaotic: squared gradients grow 1.106-fold a layer on their way back, their \
norm 12-fold over the depth: trainable, but lecun_normal is critical here'
    """
    return SIGNALS[verdict].format(
        **evidence,
        flow=_flow(evidence),
        better=_better(evidence["critical_inits"]),
    )


def _flow(evidence: Mapping[str, Any]) -> str:
    chi, factor = evidence["chi"], evidence["norm_factor"]
    if not chi > 1e-100:
        return "no gradient comes back"
    if abs(math.log(factor)) < 0.1:
        return (
            f"squared gradients change by a factor of {chi:.3f} a layer on their way "
            f"back, their norm by {factor:.3g} over the depth"
        )
    if factor > 1:
        return (
            f"squared gradients grow {chi:.4g}-fold a layer on their way back, their "
            f"norm {factor:.3g}-fold over the depth"
        )
    return (
        f"squared gradients shrink to {chi:.3f} a layer on their way back, their norm "
        f"to {factor:.2g} over the depth"
    )


def _better(inits: Sequence[str]) -> str:
    if not inits:
        return ""
    listed = " and ".join([", ".join(inits[:-1]), inits[-1]] if inits[1:] else inits)
    return f", but {listed} {'are' if inits[1:] else 'is'} critical here"
