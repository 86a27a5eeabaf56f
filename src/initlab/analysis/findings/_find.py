"""All checks on all members: root causes first, and what they explain left out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import xarray as xr

from initlab.analysis.findings import (
    _arrival,
    _biases,
    _blocks,
    _confidence,
    _copies,
    _finite,
    _flows,
    _loudness,
    _off_centre,
    _outputs,
    _priors,
    _registered,
    _saturation,
    _scales,
    _sequences,
    _slopes,
    _steps,
    _tables,
    _units,
    _updates,
    _zeros,
)
from initlab.analysis.findings._causes import consequences_of, covered_by, explained_by
from initlab.analysis.findings._finding import Finding, rank
from initlab.analysis.findings._model import Model, models_of

Rule = Callable[[Model], Iterator[Finding]]

# In order of precedence: a finding may explain those after it.
_RULES: tuple[Rule, ...] = (
    _finite.not_finite,
    _registered.not_initialized,
    _copies.symmetric_units,
    _blocks.gamma_zero,
    _blocks.quiet_gammas,
    _zeros.dead_zeros,
    _outputs.tied_embedding,
    _sequences.attention,
    _sequences.sharp_choices,
    _flows.depth_budgets,
    _units.dead_units,
    _slopes.steep_slopes,
    _off_centre.not_centred,
    _scales.off_scale,
    _loudness.drowned_signals,
    _loudness.quiet_beside_constants,
    _loudness.drowned_by_inputs,
    _loudness.drowned_neighbours,
    _tables.loud_tables,
    _tables.quiet_tables,
    _tables.one_sided_tables,
    _biases.drowning_biases,
    _biases.quiet_weights,
    _biases.deaf_cells,
    _saturation.saturated_units,
    _saturation.saturated_gates,
    _saturation.wrapping_sines,
    _saturation.flat_parameters,
    _outputs.saturated_loss,
    _outputs.squashed_twice,
    _outputs.vanishing_scale,
    _priors.far_biases,
    _blocks.residual_growth,
    _steps.low_precision,
    _sequences.recurrent_gates,
    _sequences.quiet_cells,
    _flows.backward_ends,
    _arrival.loud_signals,
    _arrival.lost_signals,
    _arrival.faded_networks,
    _arrival.alike_features,
    _outputs.explosive_parameter,
    _confidence.over_confident,
    _priors.prior_ignored,
    _updates.symmetric_update,
    _sequences.tokens_alike,
    _steps.first_update,
    _steps.left_out,
    _flows.finite_width,
)


def find(dataset: xr.Dataset) -> list[Finding]:
    """Return the root causes in a checked model, the worst first.

    What is found in fewer than half of the members is a matter of the seed, and info.

    Args:
        dataset: Of kind "check", as `initlab.pytorch.check` makes it.
    """
    members = models_of(dataset)
    found = [_of_member(model) for model in members]
    ran = [
        {name for use in model.uses for name in (use.parameter, use.bias) if name}
        for model in members
    ]
    return sorted(_merged(found, ran), key=_order)


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
            and explained_by(finding, other)
            and not (explained_by(other, finding)
                     and every.index(finding) < every.index(other))
        ]  # fmt: skip
        covered = any(covered_by(finding, other) for other in every)
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
                            if other not in kept
                            and (other.id in consequences_of(one)
                                 or (other.id != one.id and explained_by(other, one)))
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
                and (explained_by(other, one) or covered_by(other, one))
            ]
        left = [one for one in every if one not in reached]
        if not left:
            return added
        # A bias is nearer to the cause than what it does to others.
        added.append(max(left, key=lambda one: (rank(one), one.cause == "biased_off")))


def _merged(
    found: Sequence[Sequence[Finding]], ran: Sequence[Collection[str]]
) -> list[Finding]:
    """Join members' findings of one cause that share a place.

    Args:
        found: Per member.
        ran: Weights and biases of the layers that each member ran.
    """
    merged = []
    for group in _groups(found):
        members = {member for member, _ in group}
        every = [one for _, one in group]
        one = max(every, key=lambda one: (rank(one), len(one.places)))
        if one.severity != "info":
            places = (place for each in every for place in each.places)
            one = replace(one, places=tuple(dict.fromkeys([*one.places, *places])))
        # An expert that a member does not choose cannot be found there.
        able = {n for n, names in enumerate(ran) if _names_of(every) & set(names)}
        total = len(able) if members <= able else len(found)
        if len(members) * 2 < total:
            one = replace(one, severity="info")
        merged.append(replace(one, found_in=(len(members), total)))
    return merged


def _groups(found: Sequence[Sequence[Finding]]) -> list[list[tuple[int, Finding]]]:
    """Return members' findings, those together that have a cause and a place alike."""
    groups: list[list[tuple[int, Finding]]] = []
    for member, findings in enumerate(found):
        for one in findings:
            alike = [
                group for group in groups
                if any(_are_one(one, each, member != other) for other, each in group)
            ]  # fmt: skip
            groups = [group for group in groups if group not in alike]
            groups.append([pair for group in alike for pair in group] + [(member, one)])
    return groups


def _are_one(one: Finding, other: Finding, of_two: bool) -> bool:
    """Whether two findings, maybe of two members, are the same one."""
    if one.id != other.id:
        return False
    if (one.module, one.parameter) == (other.module, other.parameter):
        return True
    shared = _names_of([one]) & _names_of([other])
    return of_two and one.cause == other.cause and bool(shared)


def _names_of(findings: Iterable[Finding]) -> set[str]:
    return {
        name for one in findings for name in (one.parameter, *one.places) if name
    }  # fmt: skip


def _order(finding: Finding) -> tuple[int, str]:
    return -rank(finding), finding.id
