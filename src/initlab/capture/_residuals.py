"""Residual blocks in the dataflow: where a signal meets what was made of it."""

from dataclasses import dataclass

from initlab.capture._graph import Graph, Node, between
from initlab.capture._records import Records

# What a skip may pass besides one layer, its projection.
_ON_A_SKIP = frozenset(
    {
        "view",
        "pool",
        "average",
        "norm",
        "shift",
        "scale",
        "dropout",
        "cat",
        "activation",
        "layer",
    }
)
_LONGEST_SKIP = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A sum of a skip and a branch.

    Attributes:
        node: The sum's.
        source: The node at which skip and branch part.
        branch: Nodes on the branch, its last one too.
        skip: Nodes on the skip.
        last: The branch's last node, which is added.
        swapped: Whether the branch is the first of the sum's two inputs.
    """

    node: int
    source: int
    branch: frozenset[int]
    skip: frozenset[int]
    last: int
    swapped: bool


def residual_joins(graph: Graph, records: Records) -> list[Join]:
    """Return every residual block's sum, in order of execution.

    The skip is the side that is a part of what the other was made of, at most one
    projection and pooling later; two sides of one layer each are no block. Nor are
    logits with a mask, though it is made of the model's inputs, or a linear model of
    the inputs to which that of a network is added at last, as in a wide and deep one.
    """
    masked = {n for node in graph.nodes if node.kind == "softmax" for n in node.inputs}
    found = []
    for number in records.sums:
        node = graph.nodes[number]
        if number in masked:
            continue
        sides = [n for n in node.inputs if graph.carries_signal(n)]
        join = _join(graph, number, *sides) if len(sides) == 2 else None
        if join is not None and not _is_last_of_models(graph, join):
            found.append(join)
    return found


def _is_last_of_models(graph: Graph, join: Join) -> bool:
    """Whether a skip is a layer of the model's inputs, and no layer reads the sum."""
    nodes = graph.nodes
    if nodes[join.source].kind != "input":
        return False
    if not any(nodes[number].kind == "layer" for number in join.skip):
        return False
    later = nodes[join.node + 1 :]
    return not any(
        node.kind == "layer" and graph.descends(node.number, join.node)
        for node in later
    )


def _join(graph: Graph, number: int, first: int, second: int) -> Join | None:
    candidates = []
    for skip_end, last in ((first, second), (second, first)):
        path = _skip_path(graph, skip_end, last)
        if path is None:
            continue
        source, skip = path
        inside = frozenset({*between(graph, source, last), last} - skip - {source})
        if source == last or not any(_works(graph.nodes[n]) for n in inside):
            continue
        layers = sum(graph.nodes[n].kind == "layer" for n in skip)
        on_branch = sum(graph.nodes[n].kind == "layer" for n in inside)
        if layers and on_branch <= layers:
            continue
        candidates.append((layers, len(skip), source, inside, skip, last))
    if not candidates:
        return None
    _, _, source, inside, skip, last = min(candidates, key=lambda c: c[:2])
    return Join(
        node=number, source=source, branch=inside, skip=skip, last=last,
        swapped=last == first,
    )  # fmt: skip


def _skip_path(
    graph: Graph, skip_end: int, last: int
) -> tuple[int, frozenset[int]] | None:
    """Return where a skip begins, and the nodes on it; None if it is no skip."""
    passed: list[int] = []
    number, layers = skip_end, 0
    for _ in range(_LONGEST_SKIP):
        node = graph.nodes[number]
        if graph.descends(last, number) and number != last:
            return number, frozenset(passed)
        below = [n for n in node.inputs if graph.carries_signal(n)]
        layers += node.kind == "layer"
        if node.kind not in _ON_A_SKIP or len(below) != 1 or layers > 1:
            return None
        passed.append(number)
        number = below[0]
    return None


def _works(node: Node) -> bool:
    return node.kind in ("layer", "norm", "attention", "activation", "product")
