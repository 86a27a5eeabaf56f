"""The rounds of a loop: what the first ones showed, later ones are not asked again."""

from collections.abc import Hashable

from torch import Tensor

from initlab.capture._graph import Node
from initlab.capture._trace import FunctionCall, Trace

# As many are looked at: a stack of blocks may share its layers.
_MOST_ROUNDS = 32


class Rounds:
    """Counts calls that are alike: of one function, in one module, with alike inputs.

    A recurrent network by hand of a thousand steps would otherwise be a graph of
    thousands of nodes, whose time to read grows with the square of the steps.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._counts: dict[Hashable, int] = {}
        self._latest: dict[Hashable, Node] = {}
        self._again: set[int] = set()

    def likeness(self, call: FunctionCall) -> Hashable:
        """Return what a call has in common with that of another round."""
        alike = (self._trace.where, call.name)
        return *alike, *map(self._likeness_of, call.tensors)

    def known(self, likeness: Hashable, call: FunctionCall) -> Node | None:
        """Count one more call; return the node of the latest if they were enough.

        What is made of a later round belongs to it, though it began in the second one.
        """
        count = self._counts[likeness] = self._counts.get(likeness, 0) + 1
        if count <= _MOST_ROUNDS and self._again.isdisjoint(call.inputs):
            return None
        latest = self._latest.get(likeness)
        if latest is not None:
            self._again.add(latest.number)
        return latest

    def entered(self, likeness: Hashable, node: Node) -> None:
        """Remember the node of the latest call that was looked at."""
        self._latest[likeness] = node

    def _likeness_of(self, tensor: Tensor) -> Hashable:
        number, graph = self._trace.node_of(tensor), self._trace.graph
        if number is None:
            return None
        if graph.is_signal(number):
            node = graph.nodes[number]
            return node.kind, node.name, graph.latest_use(number)
        # Parts of one parameter, as those of experts, are weights of their own.
        sources = self._trace.sources(tensor)
        return *sources, tensor.storage_offset(), tensor.shape
