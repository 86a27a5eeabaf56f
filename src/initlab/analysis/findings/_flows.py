"""Checks of whole chains: budgets of the signal and of the gradient."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from initlab import theory
from initlab.analysis.findings._chain_causes import (
    BUDGET_WARNING,
    FORWARD_WARNING,
    Chain,
    cause_of,
)
from initlab.analysis.findings._finding import Finding
from initlab.analysis.findings._laws import are_quiet, wanted_factor, width_sum
from initlab.analysis.findings._model import Model
from initlab.messages import Severity
from initlab.spec import WeightUse

# As `BUDGET_WARNING`, of an error.
_BUDGET_ERROR = 14.0
# Up to so many layers, more is borderline: AlexNet from its start has 12, and trains.
FEW_LAYERS, _FEW_WARNING = 10, 14.0
# Gradients that grow on the way back, from a gain that is too large in every layer.
_GROWTH_WARNING = 6.0
_SHORTEST, _BRANCH = 3, 4
_QUIET_END = 0.1
# Twelve convolutions train with biases of 1, which add up to 3.5; seven layers with 2,
# up to 5.3, fall far behind, and fifteen with 1 do not train.
_LOUD_BIASES, _ADDED_UP, _MOSTLY_BIAS = 0.75, 3.6, 0.4
_RECTIFIED = frozenset({"relu", "relu6", "leaky_relu", "gelu", "silu", "elu", "selu"})
_LOUD_HEAD = 3.0
_VANISHED = 1e-12
_FAR_TOO_QUIET = 20.0
_FORWARD_ERROR = math.log(1e4)
_BACKWARD_WARNING, _BACKWARD_ERROR = math.log(1e5), math.log(1e8)


def depth_budgets(model: Model) -> Iterator[Finding]:
    """WI05, WI07 to WI09: budgets of plain chains, and the gain that breaks them."""
    read_elsewhere = _read_elsewhere(model)
    for whole in model.chains():
        chain = _after_last(_without_quiet_end(model, whole), read_elsewhere)
        hidden = [use for use in chain if not use.head]
        if len(chain) < _SHORTEST or not hidden:
            continue
        chi = [_without_heads(model, use) for use in chain[:-1]]
        ends = model.of("delta_norm", chain[-1].index) > 0
        if not ends or any(use.zero for use in chain) or np.isnan(chi).any():
            continue
        budget = theory.gradient_budget(chi)
        size = budget.largest
        forward = _forward_change(model, hidden)
        short = len(chain) <= FEW_LAYERS
        quiet = short and are_quiet(model, hidden)
        few = short and not quiet
        limit = _FEW_WARNING if few and budget.sign < 0 else BUDGET_WARNING
        growing = budget.sign > 0 and size > _GROWTH_WARNING
        if size < limit and abs(forward) < FORWARD_WARNING and not growing:
            yield from _loud_biases(model, hidden)
            continue
        error = size > max(_BUDGET_ERROR, limit) or abs(forward) > _FORWARD_ERROR
        severity: Severity = "error" if error else "warning"
        if quiet and size < _FAR_TOO_QUIET:
            severity = "warning"  # Adam takes a few layers there, if late
        beside = quiet and _ends_beside_others(model, chain, size)
        if budget.sign < 0 and (beside or _is_quiet_branch(model, chain)):
            severity = "info"
        if quiet and size < _FEW_WARNING and model.is_divided_by_its_size(chain[-1]):
            severity = "info"
        found = cause_of(Chain.of(model, chain, budget, forward, severity))
        only_growing = size < limit and abs(forward) < FORWARD_WARNING
        contradicted = budget.sign > 0 and _is_of_quiet_layers(found)
        if abs(forward) < FORWARD_WARNING and contradicted:
            continue  # it grows by what else is made of the first layer, as products
        if not only_growing or _explains_growth(found):
            yield found
        else:
            yield from _loud_biases(model, hidden)


def _ends_beside_others(model: Model, chain: Sequence[WeightUse], size: float) -> bool:
    """Whether a chain's end is added to outputs that are made another way, too.

    Of layers in common, ends that are added up are less to wait for than one.
    """
    end, way = chain[-1], {use.index for use in chain}
    read = any(end.index in use.previous for use in model.uses)
    others = [use for use in model.uses if use.added and use is not end]
    apart = any(not way & set(other.previous) for other in others)
    waits = apart or size < _FEW_WARNING
    return (end.added and waits) or (end.branch_end and not read)


def _explains_growth(found: Finding) -> bool:
    """Whether a chain's finding is of weights too large; small ones make nothing grow.

    A sum over many positions, as of a set, does that without any.
    """
    of_weights = found.cause in ("wrong_gain", "wrong_fan")
    return of_weights and found.measured > found.expected


def _is_of_quiet_layers(found: Finding) -> bool:
    """Whether a chain's finding is of weights too small, which make nothing grow."""
    of_weights = found.cause in ("wrong_gain", "wrong_fan", "one_layer")
    return of_weights and found.measured < found.expected


def _loud_biases(model: Model, hidden: Sequence[WeightUse]) -> Iterator[Finding]:
    """WI07 before a budget shows it: biases that make most of what layers hand on.

    Layers of their law keep the size of what they are given: what biases of all layers
    before have added is still there.
    """
    rectified = [u for u in hidden if u.activation in _RECTIFIED and not u.normed]
    sizes = [model.of("bias_rms", use.index) for use in rectified]
    loud = [u for u, size in zip(rectified, sizes, strict=True) if size > _LOUD_BIASES]
    if len(rectified) < _SHORTEST or len(loud) < len(rectified) / 2:
        return
    added_up = math.hypot(*sizes)
    last = model.of("preactivation_rms", rectified[-1].index)
    if not added_up > max(_ADDED_UP, _MOSTLY_BIAS * last):
        return
    yield Finding(
        id="WI07", severity="warning", cause="loud_biases", module=loud[0].module,
        parameter=loud[0].bias, measured=float(np.median(sizes)), expected=_LOUD_BIASES,
        evidence={"layers": len(loud)},
        places=tuple(use.bias or use.parameter for use in loud),
    )  # fmt: skip


def _read_elsewhere(model: Model) -> set[int]:
    """Return the uses whose gradient comes by other ways than a plain chain too."""
    return {
        below for use in model.uses for below in use.previous if below not in use.plain
    }


def _without_quiet_end(model: Model, chain: Sequence[WeightUse]) -> Sequence[WeightUse]:
    """Return a chain without a head or a branch's end that is quiet, as zeros are.

    What starts as little, or is added to a free skip, is so by its author's choice; an
    actor's actions may go on to a critic.
    """
    end = chain[-1]
    free = end.block is not None and not model.facts.blocks[end.block].skip_uses
    if not (end.head or _is_an_actor(model, end) or (end.branch_end and free)):
        return chain
    quiet = model.weight_factor(end.index) < _QUIET_END * wanted_factor(end)
    return chain[:-1] if quiet and not are_quiet(model, chain[:-1]) else chain


def _is_an_actor(model: Model, end: WeightUse) -> bool:
    """Whether bounded outputs are given out, or go on beside what others give."""
    readers = [use for use in model.uses if end.index in use.previous]
    beside = bool(readers) and all(len(use.previous) > 1 for use in readers)
    return end.given_out or (end.activation == "tanh" and beside)


def _after_last(chain: Sequence[WeightUse], those: set[int]) -> Sequence[WeightUse]:
    """Return what of a chain follows the last of some uses; its end is none of them."""
    places = [place for place, use in enumerate(chain[:-1]) if use.index in those]
    return chain[places[-1] + 1 :] if places else chain


def _is_quiet_branch(model: Model, chain: Sequence[WeightUse]) -> bool:
    """Whether a chain is a short branch beside a free skip, after a normalization.

    Its skip carries what it does not, as if its end were zero.
    """
    blocks = {use.block for use in chain}
    (block, *others) = blocks
    if others or block is None or len(chain) > _BRANCH:
        return False
    own = model.facts.blocks[block]
    return not own.skip_uses and bool(own.norms) and own.branch_rms < own.skip_rms


def _factor(model: Model, use: WeightUse) -> float:
    """Return chi; where nothing comes back any more, that of a vanished gradient."""
    if model.of("delta_norm", use.index) == 0:
        return _VANISHED
    return model.of("chi", use.index)


def _without_heads(model: Model, use: WeightUse) -> float:
    """Return chi, less what the loudest of the heads that read a use adds to it.

    A loud head is a finding of its own, and none of the chain that it reads.
    """
    chi = _factor(model, use)
    heads = [u.index for u in model.uses if u.head and use.index in u.plain]
    loudest = max(map(model.weight_factor, heads), default=0.0)
    # Beside other layers it adds less than this; it makes no gradient vanish.
    return max(chi / max(1.0, loudest / _LOUD_HEAD), min(chi, 1.0))


def _forward_change(model: Model, hidden: Sequence[WeightUse]) -> float:
    """Return the ln change of the pre-activations' size along a chain's layers.

    What a table gives is what they are given, as inputs are.
    """
    layers = [use for use in hidden if use.layer.kind != "embedding"]
    sizes = [model.of("preactivation_rms", use.index) for use in layers]
    logs = [math.log(size) for size in sizes if size > 0 and math.isfinite(size)]
    if len(logs) < 2:
        return 0.0
    return logs[-1] - logs[0]


def backward_ends(model: Model) -> Iterator[Finding]:
    """WI10: gradients at the two ends of the trunk, where nothing plain explains it."""
    trunk = [
        use for use in model.uses
        if use.block is None and not use.gate and use.layer.kind != "embedding"
        and not use.role
    ]  # fmt: skip
    norms = [(use, model.of("delta_norm", use.index)) for use in trunk]
    norms = [(u, n) for u, n in norms if n > 0 and math.isfinite(n)]
    if len(norms) < 2:
        return
    (first, low), (_, high) = norms[0], norms[-1]
    change = math.log(low / high)
    # A factor that quiets branches on purpose quiets what comes back through them.
    given = math.log(_quietest_scale(model)) if change < 0 else 0.0
    if abs(change) + given > _BACKWARD_WARNING:
        yield Finding(
            id="WI10",
            severity="error" if abs(change) + given > _BACKWARD_ERROR else "warning",
            cause="backward_loss" if change < 0 else "backward_growth",
            module=first.module, parameter=first.parameter,
            measured=math.exp(change),
            expected=math.exp(math.copysign(_BACKWARD_WARNING, change)),
            evidence={"layers": len(norms)},
        )  # fmt: skip


def _quietest_scale(model: Model) -> float:
    """Return the smallest factor on a residual branch, at most 1; LayerScale's, say."""
    found = [
        parameter.largest
        for block in model.facts.blocks
        for name in block.scales
        if (parameter := model.parameter(name)) and parameter.largest > 0
    ]
    return min([1.0, *found])


def finite_width(model: Model) -> Iterator[Finding]:
    """WI20: a chain too narrow for predictions, or with layers born dead."""
    for chain in model.chains():
        layers = sum(not use.head for use in chain)
        if layers < _SHORTEST:
            continue
        narrow = width_sum(model, chain)
        if narrow > theory.WIDTH_SUM_LIMIT:
            yield Finding(
                id="WI20", severity="info", cause="narrow", module=chain[0].module,
                parameter=chain[0].parameter, measured=narrow,
                expected=theory.WIDTH_SUM_LIMIT, evidence={"layers": layers},
            )  # fmt: skip
