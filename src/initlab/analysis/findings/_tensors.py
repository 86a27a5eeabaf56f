"""Checks of single tensors: finite, not symmetric, not dead, initialized, used."""

import math
from collections.abc import Iterator

from initlab.analysis.findings._finding import SEVERITIES, Finding, Severity
from initlab.analysis.findings._model import Model
from initlab.spec import ParameterReading, WeightUse

# Largest numbers of the types, and the share of them that is as good as infinite.
_LARGEST = {"float16": 65504.0, "bfloat16": 3.39e38, "float32": 3.4e38}
_NEAR_LARGEST = 0.1
# Copies among units that are no accident: none of 72 models had any.
_FEW_COPIES = 0.02
# Numbers that no initializer draws, and old memory has.
_HUGE = 1e4
_RANK_ONE = 0.9999
# Of drawn entries most differ, in bfloat16 too; tables hold few numbers, many times.
_DRAWN = 0.34


def not_finite(model: Model) -> Iterator[Finding]:
    """WI01: a parameter, an activation or a gradient is nan, infinite, or nearly."""
    bad = [p for p in model.facts.parameters if p.nonfinite]
    for parameter in bad:
        yield _at(
            parameter, "WI01", "error", "nonfinite_parameter",
            measured=float(parameter.nonfinite), expected=0.0,
        )  # fmt: skip
    if bad:
        return
    for use in model.uses:
        count = model.of("nonfinite_outputs", use.index)
        kind = model.parameter(use.parameter)
        limit = _LARGEST.get(kind.dtype if kind else "float32", 3.4e38) * _NEAR_LARGEST
        largest = model.of("largest_output", use.index)
        if count > 0 or largest > limit:
            yield Finding(
                id="WI01", severity="error", module=use.module,
                cause="nonfinite_output" if count > 0 else "nearly_infinite",
                parameter=use.parameter, measured=count if count > 0 else largest,
                expected=0.0 if count > 0 else limit,
            )  # fmt: skip
            return
    output = model.facts.output
    if output.nonfinite or (output.loss_kind and not math.isfinite(output.loss)):
        yield Finding(
            id="WI01", severity="error", cause="nonfinite_loss", module="",
            measured=output.loss, expected=output.prior_loss,
        )  # fmt: skip
        return
    for parameter in model.facts.parameters:
        if parameter.gradient_nonfinite:
            yield _at(
                parameter, "WI01", "error", "nonfinite_gradient",
                measured=float(parameter.gradient_nonfinite), expected=0.0,
            )  # fmt: skip
            return


def symmetric_units(model: Model) -> Iterator[Finding]:
    """WI02: constant tensors, copied units, cloned blocks; one finding per cause."""
    every = list(_symmetric_layers(model))
    for cause in dict.fromkeys(one.cause for one in every):
        group = [one for one in every if one.cause == cause]
        worst = max(group, key=lambda one: SEVERITIES.index(one.severity))
        yield _joined(worst, tuple(one.parameter or "" for one in group))
    known = {one.parameter for one in every}
    twins = [
        p for p in model.facts.parameters
        if p.gradient_twins == 1 and p.name not in known and not p.frozen
    ]  # fmt: skip
    if twins:
        yield _at(
            twins[0], "WI02", "error", "twins_for_ever", measured=twins[0].mean,
            places=tuple(p.name for p in twins),
        )  # fmt: skip
    yield from _clones(model)


def _symmetric_layers(model: Model) -> Iterator[Finding]:
    for use in model.uses:
        units = model.of("units", use.index)
        constant = bool(model.of("constant_weight", use.index)) and not use.zero
        if constant and units > 1 and model.fan_in(use.index) > 1:
            yield _of_use(
                use, "WI02", "error", "constant_weight", measured=1.0, expected=units
            )
            continue
        copies = units - model.of("distinct_units", use.index)
        if use.layer.kind == "embedding":
            copies = 0.0
        if constant or not copies > 0 or use.adapter or _is_gathered(model, use):
            continue
        both = model.of("symmetric_units", use.index) > 0
        share = copies / units
        severity: Severity = "error" if both else "warning"
        if not both and share < _FEW_COPIES and model.fan_in(use.index) < 4:
            severity = "info"
        yield _of_use(
            use, "WI02", severity, "symmetric_units" if both else "copied_units",
            measured=units - copies, expected=units,
        )  # fmt: skip


def _is_gathered(model: Model, use: WeightUse) -> bool:
    """Whether a weight has rows of a parameter several times: positions by distance."""
    sizes = [
        math.prod(parameter.shape)
        for name in use.sources
        if (parameter := model.parameter(name)) is not None
    ]
    entries = model.of("units", use.index) * model.fan_in(use.index)
    return use.layer.kind == "linear" and bool(sizes) and entries > sum(sizes)


def _clones(model: Model) -> Iterator[Finding]:
    """Yield one finding for all parameters that start as copies of others."""
    groups: dict[str, list[ParameterReading]] = {}
    for parameter in model.facts.parameters:
        # What no layer multiplies by may be a table: of decays, of positions.
        drawn = _is_matrix(parameter) and not parameter.constant
        drawn &= parameter.role in ("weight", "embedding")
        drawn &= parameter.distinct_share > _DRAWN
        # Identities and their like are the same wherever they are used, by design.
        drawn &= parameter.std > 0 and parameter.zero_share < 0.5
        if drawn and not parameter.frozen:
            groups.setdefault(parameter.fingerprint, []).append(parameter)
    alike = [group for group in groups.values() if len(group) > 1]
    if alike and not model.facts.trained:
        first = alike[0]
        # torch.nn.TransformerEncoder copies its layer. They part at the first step,
        # since their inputs differ, and most models are trained like that.
        by_design = all(p.copied for group in alike for p in group)
        yield _at(
            first[0], "WI02", "info" if by_design else "warning", "cloned_parameters",
            measured=float(len({p.name for g in alike for p in g})),
            expected=0.0,
            places=tuple(p.name for group in alike for p in group),
            evidence={"twin": first[1].name},
        )  # fmt: skip


def dead_zeros(model: Model) -> Iterator[Finding]:
    """WI03: zeros that stop the signal or never move; designed zeros are silent."""
    dead: list[Finding] = []
    for use in model.uses:
        if use.zero and not (use.frozen and use.adapter):
            dead += _dead_weight(model, use)
        elif use.layer.kind != "embedding" and use.activation in _RECTIFIED:
            zero = model.of("zero_units", use.index)
            units = model.of("units", use.index)
            if zero > 0 and not use.normed:
                severity: Severity = "error" if zero > units / 4 else "warning"
                yield _of_use(
                    use, "WI03", severity, "zero_units", measured=zero, expected=0.0,
                    evidence={"units": units},
                )  # fmt: skip
    if dead:
        first = next((d for d in dead if d.severity == "error"), dead[0])
        names = tuple(d.parameter for d in dead if d.parameter)
        yield _joined(first, names)
        return
    yield from _never_moves(model)


_RECTIFIED = frozenset({"relu", "relu6"})


def _dead_weight(model: Model, use: WeightUse) -> list[Finding]:
    facts = model.parameter(use.parameter)
    later = facts.later_gradient_zero if facts is not None else None
    if later:
        return [
            _of_use(use, "WI03", "error", "dead_zero_weight", measured=0.0,
                    expected=math.nan)
        ]  # fmt: skip
    designed = (
        use.head or use.branch_end or use.adapter or use.gate or use.role
        or use.layer.kind == "embedding" or use.block is not None
    )  # fmt: skip
    if designed or not use.previous:
        return []
    if _leads_around(model):
        return []
    return [
        _of_use(use, "WI03", "error", "zero_weight_on_trunk", measured=0.0,
                expected=math.nan)
    ]  # fmt: skip


def _leads_around(model: Model) -> bool:
    """Whether a way from the inputs to some head passes no weight of zeros."""
    arrived: set[int] = set()
    for use in model.uses:
        passing = {below for below in use.previous if not model.uses[below].zero}
        if use.stem or not use.previous or passing & arrived:
            arrived.add(use.index)
    return any(use.head and use.index in arrived for use in model.uses)


def _never_moves(model: Model) -> Iterator[Finding]:
    """Yield one finding for weights that get no gradient now nor after a step."""
    # Behind zeros that move first, float16 rounds the first gradients to 0.
    zeros = any(
        p.largest == 0 and len(p.shape) > 1 and not p.frozen
        for p in model.facts.parameters
    )
    stuck = [
        p for p in model.facts.parameters
        if p.later_gradient_zero and p.gradient_zero and len(p.shape) > 1
        and p.role in ("weight", "embedding")
        and not (zeros and p.dtype == "float16")
    ]  # fmt: skip
    if stuck:
        yield _at(
            stuck[0], "WI03", "error", "never_moves", measured=0.0,
            expected=math.nan, places=tuple(p.name for p in stuck),
        )  # fmt: skip


def symmetric_update(model: Model) -> Iterator[Finding]:
    """WI04: the units of a layer all learn the same."""
    output = model.facts.output
    if output.classes < 3 or min(output.examples, output.loss_rows) < 3:
        return
    for use in model.fresh():
        facts = model.parameter(use.parameter)
        small = min(use.layer.shape[0], model.fan_in(use.index)) < 3
        if facts is None or use.head or small or use.role:
            continue
        if model.facts.attentions and not has_targets_of_its_own(model, use):
            continue
        if facts.gradient_rank_one > _RANK_ONE:
            yield _of_use(
                use, "WI04", "warning", "rank_one_update",
                measured=facts.gradient_rank_one, expected=_RANK_ONE,
            )  # fmt: skip
            return


def has_targets_of_its_own(model: Model, use: WeightUse) -> bool:
    """Whether a layer beside attentions works on tokens that each have a target.

    A token of the model's own is the same in all examples, and what an attention gives
    is a mean over positions that may differ little: in sound vision transformers and in
    Whisper's encoder updates have rank 1. Those of the layers between the attentions of
    a language model have not.
    """
    output = model.facts.output
    per_token = len(output.shape) > 2 and output.loss_rows >= 2 * output.examples
    heads = [one for one in model.uses if one.head]
    if not per_token or not heads or use.layer.kind == "embedding":
        return False
    positions = [model.of("output_positions", u.index) for u in (use, heads[-1])]
    mixes = use.attends or any(model.uses[b].attends for b in use.previous)
    return positions[0] == positions[1] and not mixes


def not_initialized(model: Model) -> Iterator[Finding]:
    """WI21: memory as it was, a constant drawn over, parameters nothing uses."""
    build = model.facts.build
    for name, share in build.uninitialized:
        yield _named(name, "WI21", "error", "uninitialized", measured=share)
    for name, first, second in build.overwritten:
        yield _named(
            name, "WI21", "warning", "overwritten",
            evidence={"first": first, "second": second},
        )  # fmt: skip
    known = {name for name, _ in build.uninitialized}
    for parameter in model.facts.parameters:
        # A few entries far larger than all others; scaled draws are larger together.
        huge = parameter.largest > max(_HUGE, 8 * parameter.std)
        odd = huge or (parameter.tiny_share > 0 and not model.facts.trained)
        if odd and parameter.name not in known and not parameter.frozen:
            yield _at(
                parameter, "WI21", "error", "old_memory",
                measured=max(parameter.tiny_share, 0.0),
                evidence={"largest": parameter.largest},
            )  # fmt: skip
    yield from _unused(model)


def _unused(model: Model) -> Iterator[Finding]:
    unused = [p for p in model.facts.parameters if not p.used and not p.frozen]
    # A token for masks, say, is used by another kind of training.
    weights = [p for p in unused if _is_matrix(p)]
    if unused:
        first = (weights or unused)[0]
        yield _at(
            first, "WI21", "warning" if weights else "info", "unused",
            measured=float(len(unused)), expected=0.0,
            places=tuple(p.name for p in unused),
        )  # fmt: skip
    cut = [
        p for p in model.facts.parameters
        if p.used and not p.reached and not p.frozen and _is_matrix(p)
    ]  # fmt: skip
    if cut:
        yield _at(
            cut[0], "WI21", "warning", "unreached", measured=float(len(cut)),
            expected=0.0, places=tuple(p.name for p in cut),
        )  # fmt: skip
    if not model.facts.output.loss_kind:
        return
    left_out = [
        p for p in model.facts.parameters
        if p.used and p.reached and not p.frozen
        # An output is made of it, but not the loss: another kind of training's, say.
        and math.isnan(p.gradient_norm) and not p.gradient_nonfinite
        and not math.isnan(p.random_norm)
    ]  # fmt: skip
    if left_out:
        first = next((p for p in left_out if _is_matrix(p)), left_out[0])
        yield _at(
            first, "WI21", "info", "left_out", measured=float(len(left_out)),
            expected=0.0, places=tuple(p.name for p in left_out),
        )  # fmt: skip


def _is_matrix(parameter: ParameterReading) -> bool:
    """Whether a parameter extends along two axes, unlike a vector of any rank."""
    return sum(size > 1 for size in parameter.shape) > 1


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _at(
    parameter: ParameterReading,
    check: str,
    severity: Severity,
    cause: str,
    **more: object,
) -> Finding:
    return Finding(
        id=check, severity=severity, cause=cause, module=_module(parameter.name),
        parameter=parameter.name, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _named(
    name: str, check: str, severity: Severity, cause: str, **more: object
) -> Finding:
    return Finding(
        id=check, severity=severity, cause=cause, module=_module(name), parameter=name,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _of_use(
    use: WeightUse, check: str, severity: Severity, cause: str, **more: object
) -> Finding:
    return Finding(
        id=check, severity=severity, cause=cause, module=use.module,
        parameter=use.parameter, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _joined(first: Finding, names: tuple[str, ...]) -> Finding:
    return Finding(
        id=first.id, severity=first.severity, cause=first.cause, module=first.module,
        parameter=first.parameter, measured=first.measured, expected=first.expected,
        evidence=first.evidence, places=names,
    )  # fmt: skip
