"""Checks of units where a function is flat: saturated ones, gates, parameters."""

import math
from collections.abc import Iterator, Sequence

from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._model import Model
from initlab.spec import WeightUse

_SQUASHING = frozenset({"tanh", "sigmoid", "erf", "hardtanh", "hardsigmoid", "glu"})
_SATURATED, _MOSTLY_SATURATED = 0.35, 0.8
_STANDARD = 1.1
# Share of what enters an activation, root mean square, that makes a bias the cause.
_BY_BIAS = 0.8
# Times what layers give is that, where something else fills it; and by how much of
# itself a loss then changes with it, in spite of the slopes that are gone.
_ELSEWHERE, _TELLING = 4.0, 0.1
# Gates that keep a state for 3,000 steps are given 7, in the root mean square.
_LONGEST_MEMORY = 8.0
# Sitzmann et al. (2020) give sines behind the first layer numbers of 1, Hyena's filters
# of 5.
_SEVERAL_TURNS = 2 * math.pi
# Weights of inputs that should be so much smaller are as loud as those that saturate.
_QUIETER = 0.5
# Beyond these numbers the slope of a sigmoid, and of tanh, is under 5 % of its most.
_FLAT_SIGMOID, _FLAT_TANH = 4.36, 2.18


def saturated_units(model: Model) -> Iterator[Finding]:
    """WI13: activations where the function is flat; one finding for all layers."""
    shares = {
        use: model.of("saturated_share", use.index)
        for use in model.uses
        if use.activation in _SQUASHING and not use.role and not _keeps(model, use)
    }
    saturated = [
        use for use, share in shares.items()
        if share > _SATURATED and not _is_standard(model, use)
    ]  # fmt: skip
    if not saturated:
        return
    # What is upstream of the others has the cause in it; of a sum, the loudest part.
    bent = saturated[0]
    rms = model.of("entering_rms", bent.index)
    worst = max(shares[each] for each in saturated)
    parts = model.added_up(bent)
    biased = [part for part in parts if _saturates_by_bias(model, part, bent)]
    by_bias = bool(biased)
    use = max(biased or parts, key=lambda one: _size_of(model, one, by_bias))
    place = use.bias if by_bias else use.parameter
    module, loud = use.module, None if by_bias else _made_elsewhere(model, use, bent)
    own = _made_by_norm(model, bent)
    if own is not None:  # no weight before a normalization changes what comes after it
        loud, by_bias = own
    if loud is not None:
        module, place = loud.rpartition(".")[0], loud
    gates = _is_cut_into_gates(model, bent)
    alike = [each.bias for each in saturated if _saturates_by_bias(model, each, each)]
    biases = [place] if own else [use.bias, *alike]
    ratio = 1 / max(rms, 1e-30)
    yield Finding(
        id="WI13",
        severity="error" if worst > _MOSTLY_SATURATED else "warning",
        cause="saturated_by_bias" if by_bias else "saturated", module=module,
        parameter=place, measured=shares[bent], expected=_SATURATED,
        evidence={"activation": "squashing" if gates else bent.activation, "rms": rms,
                  "where": f"one gate of {place}" if gates else place,
                  "ratio": ratio,
                  "ratios": {place: ratio} if by_bias or loud is not None
                  else {place: ratio} | _ratios_of(model, saturated),
                  "given": model.of("given_rms", use.index),
                  "biases": tuple(dict.fromkeys(biases)) if by_bias else ()},
        places=tuple(dict.fromkeys(
            each.parameter if loud is None else loud for each in (use, *saturated)
        )),
    )  # fmt: skip


def _is_standard(model: Model, use: WeightUse) -> bool:
    """Whether an activation is given mean 0 and deviation 1, as by a normalization.

    A third of these lies beyond the ends of a hard tanh.
    """
    rms, mean = (model.of(f"entering_{name}", use.index) for name in ("rms", "mean"))
    return rms < _STANDARD and abs(mean) < 0.5 * rms


def _made_by_norm(model: Model, bent: WeightUse) -> tuple[str, bool] | None:
    """Return the factor or the shift of a normalization that saturates a function.

    And whether it is the shift; None where no normalization's parameter does it.
    """
    if bent.norm_after is None:
        return None
    norm, least = (
        model.facts.norms[bent.norm_after],
        model.of("entering_rms", bent.index),
    )
    for name, size in ((norm.beta, norm.beta_rms), (norm.parameter, norm.gamma_rms)):
        known = model.parameter(name) if name else None
        if known and not known.frozen and size > _BY_BIAS * least:
            return known.name, name == norm.beta
    return None


def _ratios_of(model: Model, saturated: Sequence[WeightUse]) -> dict[str, float]:
    """Return by weight what brings what activations are given to 1, where it is more.

    Of what is added up, the loudest part's.
    """
    ratios: dict[str, float] = {}
    for bent in saturated:
        rms = model.of("entering_rms", bent.index)
        parts = model.added_up(bent)
        loudest = max(parts, key=lambda one: _size_of(model, one, by_bias=False))
        if rms > 1 and not _saturates_by_bias(model, loudest, bent):
            ratios.setdefault(loudest.parameter, 1 / rms)
    return ratios


def _made_elsewhere(model: Model, use: WeightUse, bent: WeightUse) -> str | None:
    """Return the table, or what no layer has, that fills a sigmoid of the outputs.

    As products of tables do that are added to what the layers give: the loss tells.
    """
    least = _ELSEWHERE * _size_of(model, use, by_bias=False)
    own = model.parameter(use.parameter)
    if not bent.head or not model.facts.output.alone or own is None:
        return None
    if not model.of("entering_rms", bent.index) > least:
        return None
    layers = [u for u in model.uses if u.layer.kind != "embedding"]
    named = {name for u in layers for name in (*u.sources, u.bias)}
    others = [p for p in model.facts.parameters
              if p.name not in named and p.elasticity > _TELLING]  # fmt: skip
    worst = max(others, key=lambda p: p.elasticity, default=None)
    if worst is None or worst.frozen or worst.elasticity < 10 * own.elasticity:
        return None
    return worst.name


def _is_cut_into_gates(model: Model, use: WeightUse) -> bool:
    """Whether activations are given parts of a layer's output, as in LSTMs by hand.

    What is known of them is known of the gate that is saturated most.
    """
    return model.of("activation_units", use.index) < model.of("units", use.index)


def _keeps(model: Model, use: WeightUse) -> bool:
    """Whether a bias holds a gate open, or shut, no longer than designs ask for.

    Of what a state takes in, by a tanh, no design holds anything.
    """
    rms, mean = (model.of(f"entering_{name}", use.index) for name in ("rms", "mean"))
    held = _is_cut_into_gates(model, use) and abs(mean) > _BY_BIAS * rms
    return held and rms < _LONGEST_MEMORY and not model.of("into_tanh", use.index) > 0


def _size_of(model: Model, use: WeightUse, by_bias: bool) -> float:
    name = "bias_rms" if by_bias else "preactivation_rms"
    size = model.of(name, use.index)
    return size if size > 0 else 0.0


def _saturates_by_bias(model: Model, use: WeightUse, bent: WeightUse) -> bool:
    """Whether a bias makes what saturates an activation: all of it, or one gate's."""
    bias = model.parameter(use.bias) if use.bias else None
    if bias is None:
        return False
    least = _BY_BIAS * model.of("entering_rms", bent.index)
    one_number = abs(model.of("entering_mean", bent.index)) > least
    size = math.hypot(bias.mean, bias.std)
    return size > least or (one_number and bias.largest > least)


def wrapping_sines(model: Model) -> Iterator[Finding]:
    """WI05: sines of numbers of several turns, behind the first layer."""
    found = [
        use for use in model.fresh()
        if use.activation == "sin" and not use.stem
        and model.of("entering_rms", use.index) > _SEVERAL_TURNS
    ]  # fmt: skip
    if found:
        first = found[0]
        rms = model.of("entering_rms", first.index)
        yield Finding(
            id="WI05", severity="warning", cause="wraps_around", module=first.module,
            parameter=first.parameter, measured=rms, expected=_SEVERAL_TURNS,
            evidence={"ratios": {
                use.parameter: 1 / model.of("entering_rms", use.index) for use in found
            }},
            places=tuple(use.parameter for use in found),
        )  # fmt: skip


def flat_parameters(model: Model) -> Iterator[Finding]:
    """WI13: parameters that a function squashes, all of them where it is flat."""
    if model.facts.trained:
        return
    found = [p for p in model.facts.parameters if p.flat_in and not p.frozen]
    for function in dict.fromkeys(p.flat_in for p in found):
        group = [p for p in found if p.flat_in == function]
        yield Finding(
            id="WI13", severity="warning", cause="flat_parameter",
            module=group[0].name.rpartition(".")[0], parameter=group[0].name,
            measured=group[0].mean, expected=0.0, evidence={"function": function},
            places=tuple(p.name for p in group),
        )  # fmt: skip


def saturated_gates(model: Model) -> Iterator[Finding]:
    """WI13: a recurrent layer whose inputs alone shut or open its gates for good."""
    for use in model.fresh():
        given = model.of("given_rms", use.index)
        if use.role != "input" or given == 0 or "relu" in use.operation:
            continue
        # What a deeper layer of one fused operation is given is not known.
        by_weights = (given if given > 0 else 0.0) * math.sqrt(
            model.weight_factor(use.index)
        )
        biases = _loud_recurrent_biases(model, use)
        rms = math.hypot(by_weights, *biases.values())
        flat = _FLAT_SIGMOID if use.layer.packed > 1 else _FLAT_TANH
        inside = _loud_candidate_biases(model, use)
        if inside:
            rms, flat, biases = math.hypot(*inside.values()), _FLAT_TANH, inside
        if not rms > 0:
            continue
        # Sums of many products are normal.
        share = math.erfc(flat / (rms * math.sqrt(2)))
        if share > _SATURATED:
            by_bias = max(biases.values(), default=0.0) > by_weights
            names = tuple(sorted(biases, key=lambda name: -biases[name]))
            ratios = {} if by_bias else _ratios_of_inputs(model, use, 1 / rms)
            places = names if by_bias else tuple(ratios)
            yield Finding(
                id="WI13",
                severity="error" if share > _MOSTLY_SATURATED else "warning",
                cause="saturated_gates_by_bias" if by_bias else "saturated_gates",
                module=use.module, parameter=places[0],
                measured=share, expected=_SATURATED,
                evidence={"rms": rms, "given": given, "ratios": ratios},
                places=places,
            )  # fmt: skip


def _ratios_of_inputs(model: Model, use: WeightUse, ratio: float) -> dict[str, float]:
    """Return what brings the weights of a recurrent layer's inputs to one variance.

    What deeper layers and the other direction of one fused operation are given is not
    known: those that are loud too are brought to what the first one is brought to.
    """
    wanted = ratio * math.sqrt(model.weight_factor(use.index))
    others = {
        one.parameter: wanted / math.sqrt(model.weight_factor(one.index))
        for one in model.fresh()
        if one.module == use.module and one.role == "input"
        and model.weight_factor(one.index) > 0
    }  # fmt: skip
    loud = {name: least for name, least in others.items() if least < _QUIETER}
    return {use.parameter: ratio} | loud


def _loud_candidate_biases(model: Model, use: WeightUse) -> dict[str, float]:
    """Return the biases that fill the tanh of what a gated state takes in, by size."""
    sizes = {
        one.bias: model.of("candidate_bias", one.index)
        for one in _recurrent_parts(model, use)
        if one.bias
    }
    return {name: size for name, size in sizes.items() if size > _FLAT_TANH}


def _recurrent_parts(model: Model, use: WeightUse) -> list[WeightUse]:
    """Return the uses of a recurrent layer's inputs and of its state."""
    later = model.uses[use.index + 1 : use.index + 2]
    return [use, *(one for one in later if one.role)]


def _loud_recurrent_biases(model: Model, use: WeightUse) -> dict[str, float]:
    """Return the biases of a recurrent layer with their sizes.

    Of gates, what designs hold them open or shut with is none of them.
    """
    parts = _recurrent_parts(model, use)
    least = _LONGEST_MEMORY if use.layer.packed > 1 else 0.0
    return {
        one.bias: size
        for one in parts
        if one.bias and (size := model.of("bias_rms", one.index)) > least
    }
