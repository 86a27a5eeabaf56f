"""Checks of sequence models: gates that forget, attention that looks at one token."""

import math
from collections.abc import Iterator, Sequence

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.messages import FindingCause, Severity
from initlab.spec import AttentionUse, NormUse, WeightUse

# Biases that are set for memories of 3,000 steps (chrono) are -7 on average.
_SHUT, _SHUT_ERROR = -8.0, -12.0
_FORGETS_WARNING, _FORGETS_ERROR = -1.0, -4.0
_FORGETS_BY_HAND = 1 / (1 + math.exp(-_FORGETS_WARNING))
_RADIUS_LOW, _RADIUS_HIGH, _RADIUS_ERROR = 0.3, 1.5, 10.0
# Gates bound what comes back; nobody starts a cell by hand at more.
_GATED_RADIUS = 3.0
# LSTM layers with N(0, .003) and less lag far behind, at half the loss of N(0, .01).
_NO_SAY = 5e-4
_LOGITS_WARNING, _LOGITS_ERROR, _UNSCALED_LOGITS = 3.0, 10.0, 1.5
_ENTROPY, _ENTROPY_ERROR = 0.5, 0.1
# Of 307 public models no normalization starts with a factor over 1.05.
_LOUD_GAMMA = 1.5
# Of 307 public models one has logits over 1.2, at 5.8 without a scale.
_CHOICE_LOGITS, _CHOICE_ENTROPY = 8.0, 0.1
# After a branch that is louder than its skip, less is enough.
_TOKENS_ALIKE, _DROWNED = 0.998, 0.96
# Translators with Xavier's embeddings have .9985, and train.
_TOKENS_THE_SAME = 0.9995


def recurrent_gates(model: Model) -> Iterator[Finding]:
    """WI19: gates that forget at once, recurrent weights that blow up or fade."""
    for use in model.fresh():
        if use.role == "recurrent":
            yield from _forgetting_gates(model, use)
            yield from _shut_gates(model, use)
        yield from _forgetting_cells(model, use)
    yield from _recurrent_radii(model)


def _recurrent_radii(model: Model) -> Iterator[Finding]:
    """WI19: recurrent weights that blow up, in one finding, and those that fade."""
    loud: dict[WeightUse, float] = {}
    quiet: dict[WeightUse, float] = {}
    for use in model.fresh():
        radius = model.of("spectral_radius", use.index)
        low, high = _RADIUS_LOW if use.layer.packed == 1 else 0.0, _RADIUS_HIGH
        if math.isnan(radius):
            radius = model.of("gated_radius", use.index)
            low, high = 0.0, _GATED_RADIUS
        if radius > high:
            loud[use] = radius
        elif radius < low:
            quiet[use] = radius
    for found in (loud, quiet):
        if found:
            worst = max(found, key=lambda use: abs(math.log(max(found[use], 1e-30))))
            error = found[worst] > _RADIUS_ERROR
            yield Finding(
                id="WI19", severity="error" if error else "warning",
                cause="spectral_radius", module=worst.module, parameter=worst.parameter,
                measured=found[worst], expected=1.0, evidence={"layers": len(found)},
                places=tuple(use.parameter for use in found),
            )  # fmt: skip


def quiet_cells(model: Model) -> Iterator[Finding]:
    """WI05: cells whose gates neither inputs nor what they keep has a say in.

    A weight of zeros may be a design, and leave the other one to start with.
    """
    found = [
        part
        for use in model.fresh()
        if use.role == "recurrent" and use.layer.packed > 1
        and len(_parts(model, use)) > 1
        and all(0 < model.weight_factor(part.index) < _NO_SAY
                for part in _parts(model, use))
        for part in _parts(model, use)
    ]  # fmt: skip
    if found:
        first = found[0]
        factors = {use.parameter: model.weight_factor(use.index) for use in found}
        yield Finding(
            id="WI05", severity="warning", cause="quiet_cells", module=first.module,
            parameter=first.parameter, measured=factors[first.parameter], expected=1.0,
            evidence={"ratios": {name: by**-0.5 for name, by in factors.items()}},
            places=tuple(factors),
        )  # fmt: skip


def _parts(model: Model, use: WeightUse) -> list[WeightUse]:
    """Return a layer's recurrent weight, and before it that of its inputs, if any."""
    before = model.uses[use.index - 1] if use.index else use
    return [before, use] if before.role == "input" else [use]


def _forgetting_gates(model: Model, use: WeightUse) -> Iterator[Finding]:
    bias, lowest = _summed_bias(model, "forget_bias", use)
    if bias < _FORGETS_WARNING:
        keep = 1 / (1 + math.exp(-bias))
        yield Finding(
            id="WI19", severity="error" if bias < _FORGETS_ERROR else "warning",
            cause="forgets", module=use.module, parameter=lowest.bias, measured=bias,
            expected=1.0,
            evidence={"keep": keep, "steps": -1 / math.log(keep), "missing": 1 - bias,
                      "gates": use.layer.packed, "gate": 1},
        )  # fmt: skip


def _forgetting_cells(model: Model, use: WeightUse) -> Iterator[Finding]:
    kept, parts = model.of("kept", use.index), model.of("gates", use.index)
    if not 0 < kept < _FORGETS_BY_HAND or math.isnan(parts):
        return
    bias = math.log(kept / (1 - kept))
    yield Finding(
        id="WI19", severity="error" if bias < _FORGETS_ERROR else "warning",
        cause="forgets", module=use.module, parameter=use.bias, measured=bias,
        expected=1.0,
        evidence={"keep": kept, "steps": -1 / math.log(kept), "missing": 1 - bias,
                  "gates": int(parts), "gate": int(model.of("kept_gate", use.index))},
    )  # fmt: skip


def _shut_gates(model: Model, use: WeightUse) -> Iterator[Finding]:
    bias, lowest = _summed_bias(model, "write_bias", use)
    if bias < _SHUT:
        yield Finding(
            id="WI19", severity="error" if bias < _SHUT_ERROR else "warning",
            cause="writes_nothing", module=use.module, parameter=lowest.bias,
            measured=bias, expected=_SHUT,
            evidence={"keep": 1 / (1 + math.exp(-bias))},
        )  # fmt: skip


def _summed_bias(model: Model, name: str, use: WeightUse) -> tuple[float, WeightUse]:
    """Return what a gate's biases add up to, and the use of the lowest of them.

    A layer has one bias beside its recurrent weight and one beside that of its inputs,
    which runs just before; nan where it has none.
    """
    biases = {one: model.of(name, one.index) for one in _parts(model, use)[::-1]}
    found = {one: bias for one, bias in biases.items() if math.isfinite(bias)}
    if not found:
        return math.nan, use
    return sum(found.values()), min(found, key=lambda one: found[one])


def attention(model: Model) -> Iterator[Finding]:
    """WI23: logits that make each token look at one other, tokens all alike."""
    found: list[tuple[float, AttentionUse, Severity, FindingCause]] = []
    for each in model.facts.attentions:
        logits, entropy = each.logit_std, each.entropy
        unscaled = not each.scaled and each.width >= 16 and logits > _UNSCALED_LOGITS
        if not (logits > _LOGITS_WARNING or entropy < _ENTROPY or unscaled):
            continue
        error = logits > _LOGITS_ERROR or entropy < _ENTROPY_ERROR
        found.append(
            (logits, each, "error" if error else "warning",
             "unscaled_attention" if not each.scaled else "sharp_attention")
        )  # fmt: skip
    if not found:
        return
    logits, worst, severity, cause = max(found, key=lambda one: one[0])
    makers = [model.uses[u] for _, each, _, _ in found for u in each.uses]
    # What is frozen is as it was trained, and not to be changed.
    fresh = [use for use in makers if not use.frozen]
    # Of cosines no weight changes the size.
    cosines = bool(fresh) and all(map(model.is_divided_by_its_size, fresh))
    gammas = _loud_gammas(model) if cosines else []
    if gammas:
        yield _sharp_by_gammas(found, gammas)
        return
    severity = "info" if cosines or (makers and not fresh) else severity
    makers = fresh or makers
    first = next((use for use in makers if use.index in worst.uses), None)
    first = first or (makers[0] if makers else None)
    before = [n for n in model.facts.norms if {*n.after} & {*worst.uses}]
    factor = model.loud_factor(before)
    yield Finding(
        id="WI23", severity=severity, cause=cause,
        module=first.module if first else worst.module,
        parameter=factor or (first.parameter if first else None), measured=logits,
        expected=_LOGITS_WARNING,
        evidence={
            "entropy": worst.entropy, "length": worst.length, "width": worst.width,
            "ratio": 1 / math.sqrt(max(logits, 1e-9)), "attentions": len(found),
            "ratios": {} if factor else {
                use.parameter: 1 / math.sqrt(max(size, 1e-9))
                for size, each, _, _ in found for use in makers
                if use.index in each.uses
            },
        },
        places=tuple(
            dict.fromkeys([*([factor] if factor else []),
                           *(use.parameter for use in makers)])
        ),
    )  # fmt: skip


def _loud_gammas(model: Model) -> list[NormUse]:
    """Return normalizations of queries or keys, in any attention, with loud factors."""
    asked = {use for each in model.facts.attentions for use in each.uses}
    return [
        norm for norm in model.facts.norms
        if asked & {*norm.before} and norm.gamma_rms > _LOUD_GAMMA
        and (known := model.parameter(norm.parameter or "")) and not known.frozen
    ]  # fmt: skip


def _sharp_by_gammas(
    found: Sequence[tuple[float, AttentionUse, Severity, FindingCause]],
    gammas: Sequence[NormUse],
) -> Finding:
    """Return that these factors, and no weights before them, make logits loud.

    Where tokens are alike, logits of as loud factors are not sharp yet.
    """
    logits, worst, severity, _ = max(found, key=lambda one: one[0])
    ratios = {norm.parameter or "": 1 / norm.gamma_rms for norm in gammas}
    first = next((n for n in gammas if {*n.before} & {*worst.uses}), gammas[0])
    return Finding(
        id="WI23", severity=severity, cause="sharp_attention",
        module=(first.parameter or "").rpartition(".")[0], parameter=first.parameter,
        measured=logits, expected=_LOGITS_WARNING,
        evidence={
            "entropy": worst.entropy, "length": worst.length, "width": worst.width,
            "ratio": 1 / first.gamma_rms, "attentions": len(found), "ratios": ratios,
        },
        places=tuple(ratios),
    )  # fmt: skip


def sharp_choices(model: Model) -> Iterator[Finding]:
    """WI23: a softmax over experts, neighbours or layers that takes one of them."""
    found = [
        each for each in model.facts.choices
        if each.logit_std > _CHOICE_LOGITS and each.entropy < _CHOICE_ENTROPY
    ]  # fmt: skip
    if model.facts.trained or not found:
        return
    first = found[0]
    sizes: dict[str, float] = {}
    for each in found:
        for name in each.factors or (each.parameter,):
            sizes.setdefault(name, each.logit_std)
    yield Finding(
        id="WI23", severity="warning", cause="sharp_choice", module=first.module,
        parameter=next(iter(sizes)) or None, measured=first.logit_std,
        expected=_CHOICE_LOGITS,
        evidence={"entropy": first.entropy, "length": first.length,
                  "ratio": 1 / first.logit_std,
                  "ratios": {name: 1 / size for name, size in sizes.items() if name}},
        places=tuple(filter(None, sizes)),
    )  # fmt: skip


def tokens_alike(model: Model) -> Iterator[Finding]:
    """WI23: after an attention all tokens of an example are alike."""
    if not model.facts.attentions:
        return
    # By the number of tokens: a model's own queries are others than its inputs, and say
    # nothing of those where they are alike.
    own = {
        model.of("output_positions", use.index)
        for use in model.uses
        if not (use.previous or use.stem or use.layer.kind == "embedding")
    }
    least: dict[float, float] = dict.fromkeys(own, 1.0)
    for use in model.uses:
        cosine = model.of("token_cosine", use.index)
        # Inside a branch, a mean over tokens is what a uniform attention gives.
        entering = use.norm_before or use.stem or bool(use.attends)
        if not math.isfinite(cosine) or not entering:
            continue
        count = model.of("output_positions", use.index)
        if count not in own:
            least[count] = min(least.get(count, 1.0), cosine)
        ends = [u for u in use.previous if model.uses[u].branch_end]
        loud = any(
            ends and max(ends) in block.ends and block.branch_rms > 2 * block.skip_rms
            for block in model.facts.blocks
        )
        if cosine > (_DROWNED if loud else _TOKENS_ALIKE) and least[count] < 0.9:
            place = model.uses[max(ends)] if ends else use
            same = loud or cosine > _TOKENS_THE_SAME
            yield Finding(
                id="WI23", severity="warning" if same else "info", cause="tokens_alike",
                module=place.module, parameter=place.parameter, measured=cosine,
                expected=_TOKENS_ALIKE,
            )  # fmt: skip
            return
