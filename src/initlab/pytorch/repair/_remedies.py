"""Which remedy answers which check, and why others have none."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from initlab.analysis.findings import Finding
from initlab.messages import FindingCause
from initlab.pytorch.repair import (
    _attention,
    _biases,
    _draws,
    _gates,
    _outputs,
    _rows,
    _scales,
    _units,
    _zeros,
)
from initlab.pytorch.repair._change import Change
from initlab.pytorch.repair._patient import Patient

Remedy = Callable[[Patient, Finding], list[Change]]

REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {
        "WI01": _units.finite_entries,
        "WI02": _units.distinct_units,
        "WI03": _zeros.living_zeros,
        "WI04": _units.distinct_units,
        "WI05": _scales.to_the_law,
        "WI06": _scales.to_the_law,
        "WI07": _scales.to_the_law,
        "WI08": _scales.to_the_law,
        "WI09": _scales.to_the_law,
        "WI10": _scales.to_the_law,
        "WI11": _scales.to_the_law,
        "WI12": _biases.active_units,
        "WI13": _scales.to_the_law,
        "WI14": _outputs.quiet_head,
        "WI15": _outputs.prior_bias,
        "WI16": _scales.quiet_branches,
        "WI17": _outputs.open_norm,
        "WI18": _outputs.quiet_embedding,
        "WI19": _gates.open_gates,
        "WI21": _draws.drawn_anew,
        "WI22": _scales.to_the_law,
        "WI23": _attention.quiet_attention,
    }
)

# Where a cause asks for another remedy than its check.
OF_CAUSES: Mapping[FindingCause, Remedy] = MappingProxyType(
    {
        "grows_beyond": _scales.to_the_law,
        "multiplies_by_zero": _outputs.open_factor,
        "factor_of_zero": _outputs.open_factor,
        "steep_slopes": _outputs.usual_slopes,
        "loud_signal": _scales.named_to_the_law,
        "tiny_head": _scales.as_expected,
        "saturated_gates": _scales.as_printed,
        "not_centred": _scales.centred,
        "one_sided_table": _scales.centred_rows,
        "biased_logits": _outputs.prior_bias,
        "biased_choice": _outputs.prior_bias,
        "biased_outputs": _outputs.set_to_zero,
        "overflows": _outputs.finite_function,
        "vanishing_scale": _outputs.set_to_zero,
        "far_off": _outputs.set_to_zero,
        "far_biases": _outputs.set_to_zero,
        "explosive_parameter": _outputs.set_to_zero,
        "gamma_about_zero": _outputs.factors_of_one,
        "gamma_tiny": _outputs.factors_of_one,
        "sharp_choice": _scales.quiet_choice,
        "flat_parameter": _outputs.within_reach,
        "twins_for_ever": _units.drawn_units,
        "equal_rows": _rows.drawn_rows,
        "parallel_units": _draws.drawn_anew,
        "zero_inputs": _rows.drawn_columns,
        "alike_units": _rows.drawn_rows_by_hand,
        "equal_rows_for_ever": _rows.drawn_rows_by_hand,
        "saturated_by_bias": _biases.without_biases,
        "bias_drowns": _outputs.set_to_zero,
        "saturated_gates_by_bias": _outputs.set_to_zero,
        "saturated_loss": _outputs.within_the_slope,
        "writes_nothing": _gates.writing_gates,
    }
)

# Gentler remedies, which are tried before the others.
TRIED_FIRST: Mapping[FindingCause, Remedy] = MappingProxyType(
    {
        "dead_zero_weight": _zeros.zeros_before_ends,
        "zero_weight_on_trunk": _zeros.zeros_before_ends,
        "saturated": _scales.as_printed,
        "over_confident": _outputs.zero_biases_below,
    }
)

# Where a finding names the factor of a normalization.
OF_FACTORS: Mapping[str, Remedy] = MappingProxyType(
    dict.fromkeys(("WI05", "WI09", "WI14", "WI16", "WI23"), _outputs.factors_of_one)
)

# Of causes without a remedy in the weights, what would be one.
ELSEWHERE_OF_CAUSES: Mapping[FindingCause, str] = MappingProxyType(
    {
        "lost_buffer": "make the buffer anew; only parameters are repaired",
        "squashed": "start the parameter where what is made of it is not 0 everywhere",
        "loud_signal": "change what is done between the layers; it has no weights",
        "lost_signal": "change what is done between the layers; it has no weights",
        "stray": "hold the layers in nn.ModuleList, so that they are the model's own",
        "squashed_twice": "leave out the softmax: cross_entropy has one of its own",
        "drowned_by_inputs": "scale the inputs to mean 0 and variance 1",
        "targets_unscaled": "standardize the targets: no weights are as large",
    }
)

# And of checks.
ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "WI20": "widen the layers: no weights mend a narrow network",
        "WI24": "change the optimizer's learning rate or its warm-up",
        "WI25": "use initlab.pytorch.mu_p, which needs a narrower base",
    }
)

# Why a remedy found nothing to change, by check.
NOTHING_TO_CHANGE: Mapping[str, str] = MappingProxyType(
    {"WI15": "no output has a bias that could hold it: give the last layer one"}
)
