"""What is said of a cause, and the fixes that several causes share."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Words(NamedTuple):
    """What is said of a cause."""

    sentence: str
    formula: str
    fix: str


SCALE = "with torch.no_grad(): model.get_parameter({parameter!r}).mul_({ratio:.3g})"
# Of several weights by one factor, or each by its own.
SCALE_ALL = (
    "for name in finding.places: model.get_parameter(name).data.mul_({ratio:.3g})"
)
SCALE_EACH = (
    'for name, ratio in finding.evidence["ratios"].items(): '
    "model.get_parameter(name).data.mul_(ratio)  # {least:.3g} to {most:.3g}"
)
# Where a prior goes, if there is a bias that may learn it.
AT_THE_MEAN = (
    "torch.nn.init.constant_(model.get_parameter({parameter!r}), {expected:.4g})"
)
NO_BIAS_FOR_THE_MEAN = "give the output a bias that starts at {expected:.4g}"
AT_THE_SHARES = (
    "bias = model.get_parameter({parameter!r}).data; "
    "shares = (torch.bincount(targets[targets >= 0], minlength=len(bias)) + 0.5)"
    ".log(); "
    "bias.copy_(shares - shares.mean())  # targets: labels of this output"
)
AT_THE_LOGIT = (
    "torch.nn.init.constant_(model.get_parameter({parameter!r}), {logit:.4g})"
)
NO_BIAS_FOR_THE_LOGIT = "give the output a bias that starts at {logit:.4g}"
NO_BIAS_FOR_SHARES = (
    "give the output a bias that starts at the logarithm of the classes' shares"
)
ZERO_BIAS = "torch.nn.init.zeros_(model.get_parameter({parameter!r}))"
ZERO_BIASES = (
    "for name in finding.places: torch.nn.init.zeros_(model.get_parameter(name))"
)
QUIET_BRANCHES = "scale the last layer of each branch by 1/sqrt(blocks), or set it to 0"
ZERO_THESE_BIASES = (
    'for name in finding.evidence["biases"]: '
    "torch.nn.init.zeros_(model.get_parameter(name))"
)
LOOK_AT_BIASES = "look at the biases and at the mean of what {where} is given"
# One weight or, of several places, all of them; of zeros those that are no design.
DRAW_EACH = "{each}torch.nn.init.kaiming_normal_(model.get_parameter({this}))"
DRAW_THESE = (
    "{each_drawn}torch.nn.init.kaiming_normal_(model.get_parameter({this_drawn}))"
)
EACH, EACH_DRAWN = (
    "for name in finding.places: ",
    'for name in finding.evidence["drawn"]: ',
)
# What parameters start at, in the names of `torch.nn.init`.
STARTS = {"ones": "ones_", "zeros": "zeros_", "drawn": "kaiming_normal_"}
REDRAW = 'initlab.pytorch.initialize_(model, "he_normal")'
# From where to where a parameter of such a function may start: decays of
# 5 to 99 % a step, steps of a hundredth to .7.
REACHES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "sigmoid": (-3.0, 5.0),
        "softplus": (-5.0, 0.0),
        "exp": (-5.0, 0.0),
        "tanh": (-1.0, 1.0),
    }
)
