"""Which layer follows which, and through what: chains, segments, heads, gates."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from initlab.capture._graph import Graph, Node
from initlab.capture._records import Records

# A chain is plain where nothing else lies between two of its layers.
_PLAIN = frozenset(
    {
        "view",
        "activation",
        "pool",
        "average",
        "dropout",
        "scale",
        "shift",
        "unary",
        "reduction",
    }
)
_AVERAGES = frozenset({"average", "reduction"})
# A mask says which tokens are looked at; no layer weighs it.
_WEIGHS_TOKENS = frozenset({"softmax", "attention"})
_GATING = frozenset({"sigmoid", "hardsigmoid"})


@dataclass(slots=True)
class Links:
    """What lies around one use.

    Attributes:
        previous: Uses that reach it through no other layer.
        plain: Those with nothing but activations, views and pooling in between.
        averaged: Those of `plain` with a mean over positions in between.
        source: Name of the last activation before it.
        norm_before: Whether a normalization lies between it and what comes before.
        stem: Whether the model's input reaches it with no layer before.
        mixed: Whether such an input multiplies, as a matrix, what the use is given.
    """

    previous: set[int] = field(default_factory=set)
    plain: set[int] = field(default_factory=set)
    averaged: set[int] = field(default_factory=set)
    source: str = "identity"
    norm_before: bool = False
    stem: bool = False
    mixed: bool = False


def links(graph: Graph, records: Records) -> list[Links]:
    """Return the links of every use, from its first call."""
    return [_links_of(graph, graph.nodes[use.node]) for use in records.uses]


def _links_of(graph: Graph, node: Node) -> Links:
    found = Links()
    reads = looks = False
    for below in graph.signal_inputs(node):
        stops = list(graph.back(below, _is_layer_or_input))
        # A concatenation of one layer's output with itself, as in a CReLU, is plain.
        alone = len({stop.number for stop, _ in stops}) == 1
        plain = _PLAIN | {"cat"} if alone else _PLAIN
        for stop, passed in stops:
            if stop.kind == "input":
                reads |= not passed & _WEIGHS_TOKENS
                looks |= bool(passed & _WEIGHS_TOKENS)
                found.mixed |= "product" in passed and not passed & _WEIGHS_TOKENS
                continue
            assert stop.use is not None
            found.previous.add(stop.use)
            if passed <= plain:
                found.plain.add(stop.use)
                if passed & _AVERAGES:
                    found.averaged.add(stop.use)
            found.norm_before |= "norm" in passed
        for stop, passed in graph.back(below, _is_activation_or_layer):
            gating = stop.name in _GATING and found.source != "identity"
            if stop.kind == "activation" and not gating:
                found.source = stop.name
            found.norm_before |= stop.kind == "input" and "norm" in passed
    found.stem = reads or (looks and not found.previous)
    return found


def segments(plain: list[set[int]]) -> tuple[list[int], list[int]]:
    """Return each use's segment and its place there.

    Args:
        plain: Per use, the uses before it in a plain chain.

    Example:
        >>> segments([set(), {0}, set(), {2}])
        ([0, 0, 1, 1], [0, 1, 0, 1])
    """
    segment: list[int] = []
    depth: list[int] = []
    renamed: dict[int, int] = {}
    for own, before in enumerate(plain):
        earlier = sorted(b for b in before if b < own)
        depth.append(1 + max((depth[b] for b in earlier), default=-1))
        if not earlier:
            segment.append(own)
            continue
        kept = segment[earlier[0]]
        merged = {segment[b] for b in earlier}
        segment = [kept if s in merged else s for s in segment]
        segment.append(kept)
    for one in segment:
        renamed.setdefault(one, len(renamed))
    return [renamed[one] for one in segment], depth


def heads(graph: Graph, joins: set[int]) -> set[int]:
    """Return the uses after which no layer and no residual sum comes."""

    def stops(node: Node) -> bool:
        return node.kind in ("layer", "input", "attention") or node.number in joins

    return {
        stop.use
        for output in graph.outputs
        for stop, _ in graph.back(output, stops)
        if stop.use is not None and stop.kind == "layer"
    }


def added_heads(graph: Graph, heads: Mapping[int, int]) -> set[int]:
    """Return the heads whose outputs are added to those of other heads.

    Args:
        graph: Of the run.
        heads: Nodes of the heads, by their uses' numbers.
    """
    found: set[int] = set()
    for node in graph.nodes:
        if node.kind != "sum":
            continue
        sides = [
            {use for use, head in heads.items() if graph.descends(below, head)}
            for below in graph.signal_inputs(node)
        ]
        if sum(map(bool, sides)) > 1:
            found |= set().union(*sides)
    return found


def gates(graph: Graph, records: Records, previous: list[set[int]]) -> set[int]:
    """Return the uses whose output multiplies another signal, after a sigmoid.

    The layers that feed nothing but such a one are gates too.
    """
    consumers = graph.consumers()
    found = {
        use.number for use in records.uses if _gates_one(graph, consumers, use.node)
    }
    followers: list[set[int]] = [set() for _ in previous]
    for use, before in enumerate(previous):
        for number in before:
            followers[number].add(use)
    for use in reversed(range(len(previous))):
        pooled = records.uses[use].values.get("output_positions", 0.0)
        ends = [records.uses[f].values.get("output_positions", 0.0)
                for f in followers[use]]  # fmt: skip
        # A convolution before the gate works on every position, the gate on one.
        if (
            followers[use]
            and followers[use] <= found
            and all(e == pooled for e in ends)
        ):
            found.add(use)
    return found


def _gates_one(graph: Graph, consumers: list[list[int]], start: int) -> bool:
    todo = [(start, False)]
    seen = set()
    while todo:
        number, closed = todo.pop()
        for above in consumers[number]:
            node = graph.nodes[above]
            if node.kind == "factor" and closed:
                return True
            through = node.kind in ("view", "shift", "scale", "dropout", "unary")
            if (above, closed) in seen or not (through or node.name in _GATING):
                continue
            seen.add((above, closed))
            todo.append((above, closed or node.name in _GATING))
    return False


def _is_layer_or_input(node: Node) -> bool:
    return node.kind == "input" or (node.kind == "layer" and node.use is not None)


def _is_activation_or_layer(node: Node) -> bool:
    return node.kind == "activation" or _is_layer_or_input(node)
