"""What happened, in words: one sentence per cause id, filled with its evidence."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

CauseId = Literal[
    "trained",
    "trained_with_copies",
    "symmetric_units",
    "copied_units",
    "inactive_units",
    "mostly_inactive_units",
    "died_in_training",
    "saturated_outputs",
    "oversized_outputs",
    "saturated_units",
    "vanishing_signal",
    "vanishing_gradient",
    "exploding_gradient",
    "diverged",
    "diverged_from_oversized_outputs",
    "not_finite_at_start",
    "learning_rate_too_small",
    "too_little_training",
    "rising_loss",
    "unstable",
    "unfinished",
    "learned_in_part",
    "unknown",
]

CAUSES: Mapping[CauseId, str] = MappingProxyType(
    {
        "trained": "trained",
        "trained_with_copies": (
            "trained, although all {units} units of layer {layer} are copies of each "
            "other: the problem needs no more than 1"
        ),
        "symmetric_units": (
            "all {units} units of layer {layer} are copies of each other: "
            "1 distinct unit"
        ),
        "copied_units": (
            "most units of layer {layer} are copies of each other: {distinct_units} "
            "distinct among {units}"
        ),
        "inactive_units": (
            "all {units} units of layer {layer} are inactive on every example from "
            "the start: no gradient passes"
        ),
        "mostly_inactive_units": (
            "{inactive_units} of {units} units of layer {layer} are inactive on every "
            "example from the start"
        ),
        "died_in_training": (
            "all {units} units of layer {layer} are inactive on every example by step "
            "{step:,} ({inactive_at_start} at the start): no gradient passes"
        ),
        "saturated_outputs": (
            "saturated from the start: first loss {first_loss:.6g}, "
            "{saturated_share:.0%} of outputs within 1e-6 of 0 or 1"
        ),
        "oversized_outputs": (
            "outputs too large from the start: {output_rms:.3g} (rms) for targets "
            "with a std of {target_std:.3g}, first loss {first_loss:.6g}"
        ),
        "saturated_units": (
            "{saturated_share:.0%} of the activations of layer {layer} are saturated "
            "from the start"
        ),
        "vanishing_signal": (
            "the signal vanishes: outputs vary by {output_spread:.2g} over the "
            "examples, and no layer's gradient norm exceeds {gradient_norm:.2g} at "
            "the start"
        ),
        "vanishing_gradient": (
            "the gradient vanishes on its way back: norm {last_layer:.2g} in layer "
            "{layers}, {first_layer:.2g} in layer 1"
        ),
        "exploding_gradient": (
            "the gradient explodes on its way back: norm {last_layer:.2g} in layer "
            "{layers}, {first_layer:.2g} in layer 1"
        ),
        "diverged": (
            "diverged at step {step:,}, from a first loss of {first_loss:.6g}"
        ),
        "diverged_from_oversized_outputs": (
            "diverged at step {step:,}: outputs too large from the start, first loss "
            "{first_loss:.6g}, where a constant output has {baseline_loss:.4g}"
        ),
        "not_finite_at_start": "the loss is not finite before the first update",
        "learning_rate_too_small": (
            "the learning rate {learning_rate:g} is too small for {steps:,} steps, no "
            "fault of the start: the weights moved by only {weight_change:.2g} times "
            "their size, along a healthy gradient (norm {gradient_norm:.2g})"
        ),
        "too_little_training": (
            "too little training to tell: learning rate {learning_rate:g} in "
            "{steps:,} steps moved the weights by only {weight_change:.2g} times their "
            "size, and the loss still falls"
        ),
        "rising_loss": (
            "the loss rose from {first_loss:.6g} to {final_loss:.4g} in {steps:,} "
            "steps, and still rises: the learning rate {learning_rate:g} is too large "
            "for this start"
        ),
        "unstable": (
            "unstable: the loss rose between {rises} of {records} records at learning "
            "rate {learning_rate:g}"
        ),
        "unfinished": (
            "still training when it stopped: the loss fell by "
            "{fall_in_last_tenth:.2g} over the last tenth of {steps:,} steps"
        ),
        "learned_in_part": (
            "learned in part: final loss {final_loss:.4g}, where a constant output "
            "has {baseline_loss:.4g}; no fault of the start was measured"
        ),
        "unknown": (
            "unknown: final loss {final_loss:.4g}, a constant output has "
            "{baseline_loss:.4g}; gradient norm {first_gradient_norm:.2g} at the "
            "start, {final_gradient_norm:.2g} at the end; no fault of the start was "
            "measured"
        ),
    }
)


# Instead of the sentence above, where a layer has one unit.
ONE_UNIT: Mapping[CauseId, str] = MappingProxyType(
    {
        "inactive_units": (
            "the only unit of layer {layer} is inactive on every example from the "
            "start: no gradient passes"
        ),
        "mostly_inactive_units": (
            "the only unit of layer {layer} is inactive on every example at the start"
        ),
        "died_in_training": (
            "the only unit of layer {layer} is inactive on every example by step "
            "{step:,}: no gradient passes"
        ),
    }
)

# What follows a sentence, where its evidence has the number.
_ADDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "peak_loss": "; the loss rose to {peak_loss:.3g} on the way",
        "first_update": (
            "; the first update alone changed the weights of layer {update_layer} "
            "by {first_update:.2g} times their size"
        ),
        "input_rms": (
            "; the inputs have an rms of {input_rms:.3g}: standardize them before "
            "blaming the start"
        ),
    }
)


def cause_sentence(cause: CauseId, evidence: Mapping[str, float]) -> str:
    """Return what happened, in one sentence.

    Example:
        >>> cause_sentence("symmetric_units", {"layer": 1, "units": 10})
        'all 10 units of layer 1 are copies of each other: 1 distinct unit'
    """
    one = ONE_UNIT if evidence.get("units") == 1 else CAUSES
    sentence = one.get(cause, CAUSES[cause]).format(**evidence)
    for name, addition in _ADDITIONS.items():
        if name in evidence:
            sentence += addition.format(**evidence)
    return re.sub(r"\b1 steps\b", "1 step", sentence)
