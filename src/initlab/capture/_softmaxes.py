"""What softmaxes are given where they run: of attentions, and of other choices."""

import math

from torch import Tensor

from initlab.capture._graph import Node
from initlab.capture._logits import dot_product_logits, logit_statistics
from initlab.capture._measure import rms_of
from initlab.capture._records import AttentionRecord, ChoiceRecord
from initlab.capture._trace import FunctionCall, Trace

# Vectors that weigh units are drawn about 0, and have a size below 1.
_LOUD_FACTOR = 3.0
_MAKES_SIGNALS = frozenset({"layer", "norm", "attention", "softmax", "input"})


def fused_attention(node: Node, call: FunctionCall) -> AttentionRecord:
    """Recompute the logits of `scaled_dot_product_attention`."""
    args, kwargs = call.args, call.kwargs
    query = args[0] if args else kwargs["query"]
    width = query.shape[-1]
    found = logit_statistics(dot_product_logits(args, kwargs))
    return AttentionRecord(
        node=node.number,
        module=node.module,
        length=found.length,
        width=width,
        scale=float(kwargs.get("scale") or 1 / math.sqrt(width)),
        logit_std=found.logit_std,
        entropy=found.entropy,
    )


def plain_attention(node: Node, logits: Tensor, width: int) -> AttentionRecord:
    """Measure logits that a softmax is given, of products of `width` terms."""
    found = logit_statistics(logits)
    return AttentionRecord(
        node=node.number,
        module=node.module,
        length=found.length,
        width=width,
        scale=math.nan,
        logit_std=found.logit_std,
        entropy=found.entropy,
    )


def choice(trace: Trace, node: Node, call: FunctionCall) -> ChoiceRecord | None:
    """Measure the logits of a softmax that is no attention's, and no output."""
    given, place = call.given, 1
    if call.name == "gumbel_softmax":  # after its own temperature
        given, place = given / call.argument(1, "tau", 1.0), 4
    axis = call.argument(place, "dim", -1)
    if not isinstance(axis, int) or not given.dim() or not given.is_floating_point():
        return None
    found = logit_statistics(
        given.movedim(axis, -1), may_be_masked=not trace.is_weight(call.given)
    )
    owner, sources = trace.owner(call.given), trace.sources(call.given)
    if owner is not None:
        sources = owner.sources
    return ChoiceRecord(
        node=node.number,
        module=node.module,
        parameter=sources[0] if sources else "",
        length=found.length,
        logit_std=found.logit_std,
        entropy=found.entropy,
        factors=_loud_factors(trace, call.given),
    )


def _loud_factors(trace: Trace, logits: Tensor) -> tuple[str, ...]:
    """Return the loud parameters that multiply what layers give, up to logits."""
    graph, names = trace.graph, trace.records.scaled_by
    last = trace.node_of(logits)
    todo, seen = [] if last is None else [last], set()
    while todo:
        node = graph.nodes[todo.pop()]
        if node.number not in seen and node.kind not in _MAKES_SIGNALS:
            seen.add(node.number)
            todo += graph.signal_inputs(node)
    return tuple(
        name
        for name in dict.fromkeys(names[n] for n in sorted(seen & names.keys()))
        if rms_of(trace, trace.parameters[name]) > _LOUD_FACTOR
    )
