"""Gated cells that users write by hand: the gate that keeps a state, and its bias."""

from torch import Tensor

from initlab.capture._graph import Graph, Node
from initlab.capture._records import UseRecord
from initlab.capture._trace import FunctionCall, Trace


def note_kept(trace: Trace, node: Node, call: FunctionCall) -> None:
    """Measure the gate f of c = f * c + i * g, the first time that it meets a state."""
    graph, nodes = trace.graph, trace.graph.nodes
    for tensor in call.args:
        number = trace.node_of(tensor) if isinstance(tensor, Tensor) else None
        if number is None or not _is_gate(gate := nodes[number]):
            continue
        owner = trace.records.uses[gate.owner or 0]
        states = [_viewed(graph, n) for n in node.inputs if n != number]
        if "kept" in owner.values or not any(_keeps(graph, gate, s) for s in states):
            continue
        owner.values["kept"] = float(tensor.float().mean())
        _note_part(owner, tensor.shape[-1])


def _note_part(owner: UseRecord, width: int) -> None:
    """Write down which of the parts of a bias is the gate's: the lowest."""
    bias = owner.bias_value
    if owner.bias is None or bias is None or bias.numel() % width:
        return
    parts = bias.detach().reshape(-1, width).float().mean(dim=1)
    owner.values["gates"] = float(len(parts))
    owner.values["kept_gate"] = float(parts.argmin())


def _keeps(graph: Graph, gate: Node, state: Node) -> bool:
    """Whether a state is a sum of one that the same gate kept, and of what is new.

    What is new may not be weighed by the rest of the gate, as a GRU does: where that
    keeps nothing, it is a recurrence without gates.
    """
    if state.kind != "sum":
        return False
    kept = False
    for number in graph.signal_inputs(state):
        part = _viewed(graph, number)
        if part.kind not in ("factor", "scale"):
            return False
        below = [graph.nodes[n] for n in part.inputs]
        kept |= any(_is_gate(one) and one.owner == gate.owner for one in below)
        rest = (_viewed(graph, n) for one in below if one.kind in ("shift", "scale")
                for n in one.inputs)  # fmt: skip
        if any(_is_gate(one) and one.owner == gate.owner for one in rest):
            return False
    return kept


def _is_gate(node: Node) -> bool:
    return (node.kind, node.name) == ("activation", "sigmoid") and (
        node.owner is not None
    )


def _viewed(graph: Graph, number: int) -> Node:
    node = graph.nodes[number]
    while node.kind == "view":
        node = graph.nodes[node.inputs[0]]
    return node
