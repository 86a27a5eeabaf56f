"""All checks on all members: root causes first, and what they explain left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import xarray as xr

from initlab.analysis.findings import (
    _arrival,
    _blocks,
    _copies,
    _flows,
    _outputs,
    _registered,
    _scales,
    _sequences,
    _steps,
    _tensors,
    _units,
)
from initlab.analysis.findings._finding import SEVERITIES, Finding
from initlab.analysis.findings._model import Model, models_of

Rule = Callable[[Model], Iterator[Finding]]

# In order of precedence: a finding may explain those after it.
_RULES: tuple[Rule, ...] = (
    _tensors.not_finite,
    _registered.not_initialized,
    _copies.symmetric_units,
    _blocks.gamma_zero,
    _blocks.gamma_about_zero,
    _tensors.dead_zeros,
    _outputs.tied_embedding,
    _sequences.attention,
    _flows.depth_budgets,
    _units.dead_units,
    _scales.not_centred,
    _scales.off_scale,
    _scales.drowned_signals,
    _units.saturated_units,
    _units.saturated_gates,
    _outputs.saturated_loss,
    _blocks.residual_growth,
    _steps.low_precision,
    _sequences.recurrent_gates,
    _flows.backward_ends,
    _arrival.loud_signals,
    _arrival.alike_features,
    _outputs.explosive_parameter,
    _outputs.over_confident,
    _outputs.prior_ignored,
    _tensors.symmetric_update,
    _sequences.tokens_alike,
    _steps.first_update,
    _flows.finite_width,
)

# What each check explains, wherever it is found.
_EXPLAINS = {
    "WI01": {f"WI{n:02}" for n in range(2, 25)} - {"WI21", "WI02"},
    "WI02": {"WI04", "WI05", "WI11", "WI07", "WI08", "WI09", "WI10", "WI14"},
    "WI03": {"WI04", "WI07", "WI08", "WI10", "WI11", "WI24", "WI12", "WI17"},
    "WI05": {
        "WI04",
        "WI06",
        "WI07",
        "WI08",
        "WI09",
        "WI10",
        "WI11",
        "WI12",
        "WI14",
    },
    "WI06": {"WI07", "WI08", "WI09", "WI10", "WI05", "WI11", "WI14"},
    "WI07": {"WI12", "WI08", "WI09", "WI10", "WI11", "WI04", "WI14"},
    "WI09": {"WI10", "WI11", "WI14"},
    "WI11": {"WI04"},
    "WI12": {"WI03", "WI04", "WI11", "WI07", "WI08", "WI10"},
    "WI13": {"WI07", "WI10"},
    "WI16": {"WI09", "WI10", "WI11", "WI14", "WI23"},
    "WI17": {"WI18", "WI03", "WI04", "WI11", "WI12", "WI08", "WI10", "WI24"},
    "WI18": {"WI14", "WI05"},
    "WI22": {"WI03", "WI05", "WI08", "WI07", "WI04", "WI24", "WI11"},
    "WI23": {"WI05"},
}


def find(dataset: xr.Dataset) -> list[Finding]:
    """Return the root causes in a checked model, the worst first.

    What is found in fewer than half of the members is a matter of the seed, and info.

    Args:
        dataset: Of kind "check", as `initlab.pytorch.check` makes it.
    """
    members = models_of(dataset)
    found = [_of_member(model) for model in members]
    return sorted(_merged(found), key=_order)


def _of_member(model: Model) -> list[Finding]:
    every = [finding for rule in _RULES for finding in rule(model)]
    return _root_causes(every)


def _root_causes(every: Sequence[Finding]) -> list[Finding]:
    """Leave out what a finding of the same or a higher severity explains."""
    kept: list[Finding] = []
    for finding in every:
        explained = [
            other
            for other in every
            if other is not finding
            and _explained_by(finding, other)
            and not (_explained_by(other, finding)
                     and every.index(finding) < every.index(other))
        ]  # fmt: skip
        covered = any(_covered_by(finding, other) for other in every)
        if not explained and not covered:
            kept.append(finding)
    kept += _of_circles(every, kept)
    return [
        replace(
            one,
            consequences=tuple(
                dict.fromkeys(
                    [
                        *one.consequences,
                        *(
                            other.id for other in every
                            if other.id in _EXPLAINS.get(one.id, ())
                            and other not in kept
                        ),
                    ]
                )
            ),
        )
        for one in kept
    ]  # fmt: skip


def _of_circles(every: Sequence[Finding], kept: Sequence[Finding]) -> list[Finding]:
    """Return one finding of each circle of findings that explain each other.

    A dead layer drowns the signal, which stops the layers below, which looks like the
    death of the layer: whatever no kept finding explains, even by way of others, needs
    one that stands for it.
    """
    added: list[Finding] = []
    while True:
        reached = [*kept, *added]
        for one in reached:  # grows while it is read
            reached += [
                other
                for other in every
                if other not in reached
                and (_explained_by(other, one) or _covered_by(other, one))
            ]
        left = [one for one in every if one not in reached]
        if not left:
            return added
        # A bias is nearer to the cause than what it does to others.
        added.append(max(left, key=lambda one: (_rank(one), one.cause == "biased_off")))


def _covered_by(finding: Finding, other: Finding) -> bool:
    """Whether a chain's finding says of all its layers what this one says of one."""
    return (
        other.id == finding.id
        and other.cause in _CHAINS
        and finding.cause not in (*_CHAINS, "not_centred")
        and _rank(other) > 0
        and _places(finding) <= _places(other)
    )


def _places(finding: Finding) -> set[str | None]:
    return {finding.parameter, *finding.places}


def _merged(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Join members' findings of one cause at one place."""
    groups: dict[tuple[str, str, str | None], list[Finding]] = {}
    for findings in found:
        for one in findings:
            groups.setdefault((one.id, one.module, one.parameter), []).append(one)
    total = len(found)
    merged = []
    for group in groups.values():
        one = max(group, key=_rank)
        if len(group) * 2 < total:
            one = replace(one, severity="info")
        merged.append(replace(one, found_in=(len(group), total)))
    return merged


def _explained_by(finding: Finding, other: Finding) -> bool:
    """Whether one finding is a consequence of another."""
    if other.cause in _MEMORY and finding is not other and finding.id != "WI01":
        # What stands in such a tensor means nothing.
        return finding.parameter == other.parameter or finding.id not in _OF_TENSORS
    if "WI14" in (finding.id, other.id) and _is_loud_head(finding, other):
        return finding.id != "WI14"
    if other.cause == "saturated_loss" and finding.parameter == other.parameter:
        return finding.id in ("WI14", "WI15")
    if finding.cause == "saturated_loss" and other.cause == "beyond_any_law":
        return finding.parameter == other.parameter
    if finding.cause in ("loud_regression", "biased_logits") and other.id == "WI15":
        return other.cause in _OF_MEANS and finding is not other
    if finding.cause == "explosive_parameter" and finding is not other:
        return other.cause == "log_mean_ignored" and _places(finding) <= _places(other)
    if other.cause == "explosive_parameter" and finding.id in ("WI14", "WI15"):
        # It makes all of the loss, whatever else would be said of it.
        return finding.cause != "log_mean_ignored"
    if finding.cause == "biased_logits" and other.id == "WI13":
        return finding.parameter == other.parameter
    if other.cause == "not_centred" and finding.id in _OF_SCALES:
        # What these weights put out is a matter of their mean, whatever their size.
        return finding is not other and bool(_places(finding) & _places(other))
    if {finding.cause, other.cause} == {"not_centred", "inactive_units"}:
        # Weights below 0 on what is positive: that units are off is what matters.
        return finding.cause == "not_centred" and finding.parameter == other.parameter
    if finding.cause == "never_moves" and _lets_nothing_back(other):
        return True
    if finding.id == "WI12" and other.cause == "never_moves":
        return False  # units that are off stop what comes back through them
    explained = finding.id in _EXPLAINS.get(other.id, ())
    explained |= finding.cause == "depth_budget" and other.cause == "loud_signal"
    if not explained or _rank(other) == 0:
        return False
    if {finding.cause, other.cause} == {"loud_signal", "depth_budget"}:
        return other.cause == "loud_signal"
    if finding.id == "WI12" and other.id == "WI07":
        return other.cause in ("drowned_by_biases", "loud_biases")
    if finding.id == "WI14" and other.id == "WI07":
        return other.cause == "loud_biases"
    if finding.cause == "biased_off":
        return False
    if {finding.id, other.id} == {"WI05", "WI06"}:
        # Of two gains or fans, those of the same layers are one thing.
        return bool(set(finding.places) & set(other.places)) or other.cause in _CHAINS
    return True


def _lets_nothing_back(finding: Finding) -> bool:
    """Whether it says of a function that it is flat wherever it is asked."""
    flat = finding.cause in ("saturated", "saturated_by_bias")
    return finding.cause == "saturated_loss" or (flat and finding.measured > _ALL)


def _is_loud_head(finding: Finding, other: Finding) -> bool:
    """Whether one says of a head what it is, and the other what it does to the loss."""
    return finding.parameter == other.parameter and "beyond_any_law" in (
        finding.cause,
        other.cause,
    )


_ALL = 0.99  # of a function's values: then nothing comes back through it
_MEMORY = frozenset({"uninitialized", "old_memory"})
_OF_TENSORS = frozenset({"WI01", "WI02", "WI03", "WI05", "WI06", "WI21"})
_OF_MEANS = frozenset({"mean_ignored", "log_mean_ignored", "imbalance_ignored"})
_OF_SCALES = frozenset({"WI05", "WI06", "WI13"})
_CHAINS = frozenset({"wrong_gain", "one_layer"})


def _rank(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def _order(finding: Finding) -> tuple[int, str]:
    return -_rank(finding), finding.id
