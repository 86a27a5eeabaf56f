"""What the checks of a model found, in words: sentence, formula and fix per cause."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from initlab.messages._checks import FindingCause
from initlab.messages._output_findings import OUTPUT_FINDINGS
from initlab.messages._scale_findings import SCALE_FINDINGS
from initlab.messages._signal_findings import SIGNAL_FINDINGS
from initlab.messages._weight_findings import WEIGHT_FINDINGS
from initlab.messages._words import (
    AT_THE_LOGIT,
    AT_THE_MEAN,
    AT_THE_SHARES,
    EACH,
    EACH_DRAWN,
    LOOK_AT_BIASES,
    NO_BIAS_FOR_SHARES,
    NO_BIAS_FOR_THE_LOGIT,
    NO_BIAS_FOR_THE_MEAN,
    QUIET_BRANCHES,
    REACHES,
    SCALE,
    SCALE_ALL,
    SCALE_EACH,
    STARTS,
    ZERO_BIAS,
    ZERO_BIASES,
    ZERO_THESE_BIASES,
    Words,
)

FINDINGS: Mapping[FindingCause, Words] = MappingProxyType(
    {**WEIGHT_FINDINGS, **SCALE_FINDINGS, **SIGNAL_FINDINGS, **OUTPUT_FINDINGS}
)

# Factors that differ by less, as draws of one law do, are written as one.
_SAME = 1.15
# More would hide the line in their names.
_FEW_PLACES = 3

_PARAMETRIZED = re.compile(r"parametrizations\.(\w+)\.original\d*$")

SOUND = "initialization sound"
NOTHING = "no weights: nothing to judge"
FROZEN = (
    "every parameter is frozen: there is nothing to train, and only the way forward "
    "was judged; call requires_grad_() on what is to be trained"
)
SOUND_NEXT = "look at the learning rate, the mask, the labels"

# How many names of what was not measured are listed.
_LISTED = 3


def not_measured(names: Sequence[str], functions: Sequence[str]) -> str:
    """Return which weights were not measured, and in which functions they are used.

    Example:
        >>> not_measured(["a", "b", "c", "d"], ["vmap"])
        'not measured: a, b, c (+1), used in vmap'
    """
    more = f" (+{len(names) - _LISTED})" if len(names) > _LISTED else ""
    shown = ", ".join(map(shown_name, names[:_LISTED]))
    return f"not measured: {shown}{more}, used in {', '.join(functions)}"


def shown_name(name: str) -> str:
    """Return the name under which a user knows a tensor: the weight that it is part of.

    Example:
        >>> shown_name("0.parametrizations.weight.original0"), shown_name("0.weight")
        ('0.weight', '0.weight')
    """
    return _PARAMETRIZED.sub(r"\1", name)


def finding_sentence(cause: FindingCause, evidence: Mapping[str, Any]) -> str:
    """Return what was found, in one sentence.

    Example:
        >>> finding_sentence(
        ...     "gamma_zero", {"module": "norm", "where": "norm.weight", "places": ()}
        ... )
        'the normalization norm has factor 0 where no other way leads on: \
nothing passes'
    """
    words = _with_words(evidence)
    shown = {k: shown_name(v) if isinstance(v, str) else v for k, v in words.items()}
    return FINDINGS[cause].sentence.format(**shown)


def finding_formula(cause: FindingCause, evidence: Mapping[str, Any]) -> str:
    """Return the formula or bound that was measured against."""
    return FINDINGS[cause].formula.format(**_with_words(evidence))


def finding_fix(cause: FindingCause, evidence: Mapping[str, Any]) -> str:
    """Return what to do: one line of code, or one thing to look at.

    The code needs `model`, and `finding` where it changes more than a few places: a
    table of findings names it by its place in the `diagnosis`.
    """
    fix = FINDINGS[cause].fix.format(**_with_words(evidence))
    named: dict[str, Any] = {"finding.places": tuple(evidence.get("places", ()))}
    for key in ("ratios", "biases", "drawn"):
        named[f'finding.evidence["{key}"]'] = evidence.get(key, ())
    for expression, names in named.items():
        if 0 < len(names) <= _FEW_PLACES:
            fix = fix.replace(expression, _literal(names))
    return fix


def _literal(names: Mapping[str, float] | Sequence[str]) -> str:
    if isinstance(names, Mapping):
        return repr({name: float(f"{ratio:.3g}") for name, ratio in names.items()})
    return repr(tuple(names))


def _scaled(evidence: Mapping[str, Any]) -> str:
    """Return how to multiply weights by the factors that were found for them."""
    one = {str(evidence.get("parameter", "")): float(evidence.get("ratio", 1.0))}
    ratios: Mapping[str, float] = evidence.get("ratios") or one
    least, most = min(ratios.values()), max(ratios.values())
    (first, ratio), *others = ratios.items()
    if not others:
        return SCALE.format(parameter=first, ratio=ratio)
    if most < _SAME * least and ratios.keys() == {*evidence.get("places", ())}:
        return SCALE_ALL.format(ratio=(least * most) ** 0.5)
    return SCALE_EACH.format(least=least, most=most)


def _of_a_prior(evidence: Mapping[str, Any]) -> dict[str, str]:
    """Return where to start a bias, or that there is none to start."""
    known = {"parameter": evidence.get("parameter"),
             "expected": evidence.get("expected", 0.0),
             "logit": evidence.get("logit")}  # fmt: skip
    has = evidence.get("bias", True)
    mean = AT_THE_MEAN if has else NO_BIAS_FOR_THE_MEAN
    if "logit" in evidence:
        shares = AT_THE_LOGIT if has else NO_BIAS_FOR_THE_LOGIT
    else:
        shares = AT_THE_SHARES if has else NO_BIAS_FOR_SHARES
    return {
        "at_the_mean": mean.format(**known), "at_the_shares": shares.format(**known),
    }  # fmt: skip


def _of_places(evidence: Mapping[str, Any]) -> dict[str, str]:
    """Return a loop over the places and its name; of one place, that place's name."""
    own = repr(evidence.get("parameter"))
    several = len(evidence.get("places", ())) > 1
    drawn = evidence.get("drawn", ())
    one = repr(drawn[0]) if len(drawn) == 1 else own
    return {
        "each": EACH if several else "", "this": "name" if several else own,
        "each_drawn": EACH_DRAWN if len(drawn) > 1 else "",
        "this_drawn": "name" if len(drawn) > 1 else one,
    }  # fmt: skip


def _with_words(evidence: Mapping[str, Any]) -> dict[str, Any]:
    others = len(evidence.get("places", ())) - 1
    low, high = REACHES.get(evidence.get("function", ""), (0.0, 0.0))
    return {
        **evidence,
        "count": others + 1,
        "low": low,
        "high": high,
        "usual_start": STARTS[evidence.get("usual", "drawn")],
        "scaled": _scaled(evidence),
        "of_a_head": f" {evidence['width']}" if evidence.get("width") else " of a head",
        "root_of_width": f"{evidence['width']} ** -0.5" if evidence.get("width")
        else "width ** -0.5, of the width of a head",
        **_of_a_prior(evidence),
        **_of_places(evidence),
        # Rows that are drawn, if all alike, say how large they are meant.
        "of_rows": f", std={evidence['rows_std']:.2g}"
        if 0.005 < evidence.get("rows_std", 0.0) < 2 else "",
        "zero_or_look": ZERO_BIAS.format(parameter=evidence["bias"])
        if evidence.get("bias") else LOOK_AT_BIASES.format(where=evidence.get("where")),
        "zero_saturating": ZERO_THESE_BIASES if len(evidence.get("biases", ())) > 1
        else ZERO_BIAS.format(parameter=evidence.get("parameter")),
        "zeroed_or_scaled": ZERO_THESE_BIASES if evidence.get("biases")
        else _scaled(evidence),
        "zero_biases": ZERO_BIASES if others > 0
        else ZERO_BIAS.format(parameter=evidence.get("parameter")),
        "quiet_branches": QUIET_BRANCHES if not evidence.get("factor") else
        ZERO_BIASES,
        "more": f", nor {others} more" if others > 0 else "",
        "assumed": "" if evidence.get("known", True) else ", if outputs are logits",
        "vanished": f", and {evidence.get('gone')} weights have no gradient left"
        if evidence.get("gone") else "",
    }  # fmt: skip
