"""The dataflow of one forward pass: what came out of what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Node:
    """One call of a function, or a parameter or an input.

    Attributes:
        number: In order of execution.
        kind: "input", "parameter", or as in `_operations`.
        name: Of the function, the parameter or the activation.
        inputs: Numbers of the nodes that it was made of.
        module: Path of the module in which it ran.
        use: Number of the layer's use in the recorder, or None.
        parts: Outputs, where it gave several (chunk, split, unbind).
        owner: The use whose output this is but for views, norms, sums; or None.
        slope: Of a leaky ReLU on the negative side.
        width: Of a product of two signals: terms of each sum.
    """

    number: int
    kind: str
    name: str
    inputs: tuple[int, ...] = ()
    module: str = ""
    use: int | None = None
    parts: int = 1
    owner: int | None = None
    slope: float = 0.0
    width: int = 0


@dataclass(slots=True)
class Graph:
    """Nodes in order of execution; an input's number is below its consumers'.

    Example:
        >>> graph = Graph()
        >>> x = graph.add(kind="input", name="x")
        >>> y = graph.add(kind="view", name="view", inputs=(x.number,))
        >>> graph.descends(y.number, x.number)
        True
    """

    nodes: list[Node] = field(default_factory=list)
    outputs: tuple[int, ...] = ()
    _ancestors: list[int] = field(default_factory=list)
    _inputs: int = 0
    _layers: int = 0
    _parameters: int = 0

    def add(self, **about: object) -> Node:
        """Append a node."""
        node = Node(number=len(self.nodes), **about)  # type: ignore[arg-type]
        self.nodes.append(node)
        mask = 1 << node.number
        for number in node.inputs:
            mask |= self._ancestors[number]
        self._ancestors.append(mask)
        if node.kind == "input":
            self._inputs |= 1 << node.number
        elif node.kind == "layer":
            self._layers |= 1 << node.number
        elif node.kind == "parameter":
            self._parameters |= 1 << node.number
        return node

    def ancestors(self, number: int) -> int:
        """Return the nodes that this one is made of, itself included, as bits."""
        return self._ancestors[number]

    def descends(self, number: int, ancestor: int) -> bool:
        """Whether a node is made of another, or is it."""
        return bool(self._ancestors[number] >> ancestor & 1)

    def parameters(self, number: int) -> list[Node]:
        """Return the parameters that a node is made of."""
        mask, found = self._ancestors[number] & self._parameters, []
        while mask:
            lowest = mask & -mask
            found.append(self.nodes[lowest.bit_length() - 1])
            mask ^= lowest
        return found

    def latest_use(self, number: int) -> int | None:
        """Return the use of the latest layer that a node is made of."""
        layers = self._ancestors[number] & self._layers
        return self.nodes[layers.bit_length() - 1].use if layers else None

    def consumers(self) -> list[list[int]]:
        """Return, per node, the nodes that are made of it directly."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for number in dict.fromkeys(node.inputs):
                found[number].append(node.number)
        return found

    def signal_inputs(self, node: Node) -> list[int]:
        """Return the inputs that are no parameters, nor made of parameters alone."""
        return [n for n in node.inputs if self.carries_signal(n)]

    def carries_signal(self, number: int) -> bool:
        """Whether a node depends on the model's inputs."""
        return bool(self._ancestors[number] & self._inputs)

    def is_signal(self, number: int) -> bool:
        """Whether a node depends on the inputs, or is what a layer made of parameters.

        Queries of the model's own are such: signals that every batch shares.
        """
        return bool(self._ancestors[number] & (self._inputs | self._layers))

    def back(
        self, start: int, stop: Callable[[Node], bool], *, own: bool = False
    ) -> Iterator[tuple[Node, frozenset[str]]]:
        """Walk towards the inputs; yield what stops the walk, and kinds passed.

        Args:
            start: Where to begin; it may stop the walk itself.
            stop: Whether to go no further than this node.
            own: Whether to follow signals that layers make of parameters, too.
        """
        follows = self.is_signal if own else self.carries_signal
        seen: set[tuple[int, frozenset[str]]] = set()
        todo: list[tuple[int, frozenset[str]]] = [(start, frozenset())]
        while todo:
            number, passed = todo.pop()
            if (number, passed) in seen:
                continue
            seen.add((number, passed))
            node = self.nodes[number]
            if stop(node):
                yield node, passed
                continue
            passing = passed | {node.kind}
            todo.extend((below, passing) for below in node.inputs if follows(below))


def between(graph: Graph, low: int, high: int) -> list[int]:
    """Return the nodes on any way from `low` to `high`, both left out."""
    above = graph.ancestors(high)
    return [
        number
        for number in range(low + 1, high)
        if above >> number & 1 and graph.descends(number, low)
    ]
