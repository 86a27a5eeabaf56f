"""The checks of a model by id, how bad a finding may be, and every cause of one.

Whoever finds, words, ranks or repairs takes them from here.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

from initlab.errors import InvalidValueError, UnknownNameError

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # in this order

CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "WI01": "not finite",
        "WI02": "symmetric units",
        "WI03": "dead zero tensor",
        "WI04": "symmetric update",
        "WI05": "wrong gain",
        "WI06": "wrong fan",
        "WI07": "depth budget",
        "WI08": "vanishing forward",
        "WI09": "exploding forward",
        "WI10": "vanishing or exploding backward",
        "WI11": "correlation collapse",
        "WI12": "dead units",
        "WI13": "saturation",
        "WI14": "over-confident output",
        "WI15": "output bias against prior",
        "WI16": "residual growth",
        "WI17": "normalization off on the trunk",
        "WI18": "tied embedding",
        "WI19": "recurrent gates",
        "WI20": "finite width",
        "WI21": "not initialized, overwritten or unused",
        "WI22": "low precision",
        "WI23": "attention",
        "WI24": "first update",
        "WI25": "width law",
    }
)

# Each has its words in `FINDINGS`; a name that is none of these is a mypy error.
FindingCause = Literal[
    "added_twins",
    "alike_features",
    "alike_units",
    "backward_growth",
    "backward_loss",
    "beyond_any_law",
    "bias_drowns",
    "biased_choice",
    "biased_logits",
    "biased_outputs",
    "biased_off",
    "cloned_parameters",
    "constant_weight",
    "copied_units",
    "dead_zero_weight",
    "depth_budget",
    "drowned_by_biases",
    "drowned_by_inputs",
    "drowns_a_signal",
    "drowns_its_neighbours",
    "enlarged_cosines",
    "equal_columns_for_ever",
    "equal_rows",
    "equal_rows_for_ever",
    "explosive_parameter",
    "factor_of_zero",
    "faded",
    "far_biases",
    "far_off",
    "flat_parameter",
    "forgets",
    "forward_change",
    "gamma_about_zero",
    "gamma_tiny",
    "gamma_zero",
    "gate_is_off",
    "grows_beyond",
    "has_no_effect",
    "imbalance_ignored",
    "inactive_units",
    "left_out",
    "log_mean_ignored",
    "long_step",
    "lost_buffer",
    "lost_signal",
    "loud_biases",
    "loud_regression",
    "loud_signal",
    "loud_table",
    "mean_ignored",
    "multiplies_by_zero",
    "nan_inputs",
    "narrow",
    "nearly_infinite",
    "never_moves",
    "next_to_nothing",
    "nonfinite_gradient",
    "nonfinite_loss",
    "nonfinite_output",
    "nonfinite_parameter",
    "nonfinite_targets",
    "not_centred",
    "one_sided_table",
    "not_optimized",
    "off_its_siblings",
    "old_memory",
    "one_layer",
    "over_confident",
    "overflows",
    "overwritten",
    "parallel_units",
    "post_norm",
    "quiet_beside",
    "quiet_cells",
    "quiet_table",
    "rank_one_update",
    "residual_growth",
    "saturated",
    "saturated_by_bias",
    "saturated_gates",
    "saturated_gates_by_bias",
    "saturated_loss",
    "sharp_attention",
    "sharp_choice",
    "short_step",
    "steep_slopes",
    "spectral_radius",
    "squashed",
    "squashed_twice",
    "stray",
    "symmetric_units",
    "targets_unscaled",
    "tied_embedding",
    "tiny_head",
    "tokens_alike",
    "twins_for_ever",
    "underflow",
    "uninitialized",
    "unreached",
    "unscaled_attention",
    "unscaled_inputs",
    "unused",
    "vanishing_scale",
    "width_law",
    "wraps_around",
    "writes_nothing",
    "wrong_fan",
    "wrong_gain",
    "zero_inputs",
    "zero_length",
    "zero_queries",
    "zero_units",
    "zero_weight_on_trunk",
]


def as_severity(given: Any, argument: str) -> Severity:
    """Return the severity of that name.

    Args:
        given: What arrived.
        argument: The argument or option that it arrived by.

    Raises:
        UnknownNameError: If there is none of that name.

    Example:
        >>> as_severity("error", "fail_on")
        'error'
    """
    for severity in SEVERITIES:
        if given == severity:
            return severity
    raise UnknownNameError("severity", str(given), SEVERITIES, argument=argument)


def as_checks(given: Any, argument: str) -> tuple[str, ...]:
    """Return the ids of checks: of one, of several with commas, or of a list of these.

    Args:
        given: What arrived.
        argument: The argument or option that it arrived by.

    Raises:
        InvalidValueError: If it is neither text nor a list of text.
        UnknownNameError: If there is no check of an id.

    Example:
        >>> as_checks("WI02, WI15", "ignore"), as_checks(["WI02"], "ignore")
        (('WI02', 'WI15'), ('WI02',))
    """
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, Iterable):
        texts = [given]
    ids: list[str] = []
    for text in texts:
        if not isinstance(text, str):
            raise InvalidValueError(
                f"ids of checks, as in WI15, got {text!r}", argument=argument
            )
        ids += [name.strip() for name in text.split(",")]
    for name in ids:
        if name not in CHECKS:
            raise UnknownNameError("check", name, CHECKS, argument=argument)
    return tuple(ids)
