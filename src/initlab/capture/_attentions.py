"""Attentions and other softmaxes, with the uses that make what they are given."""

from initlab.capture._graph import Graph, Node
from initlab.capture._records import Records
from initlab.spec import AttentionUse, Choice

# Times the root of the width: a scale given by hand that is as good as none.
_UNSCALED = 2.0


class Attentions:
    """What a graph says of a model's softmaxes."""

    def __init__(self, graph: Graph, records: Records) -> None:
        self._graph, self._records = graph, records
        self._consumers = graph.consumers()

    def _sides(self, number: int) -> dict[str, set[int]]:
        """Return the uses that make an attention's queries, keys and values."""
        graph = self._graph
        node = graph.nodes[number]
        sides: dict[str, list[int]] = {}
        if node.kind == "attention":
            inputs = list(node.inputs)
            inputs += inputs[-1:] * (3 - len(inputs))
            sides = {
                name: [n]
                for name, n in zip(("query", "key", "value"), inputs, strict=False)
            }
        else:
            for stop, _ in graph.back(number, lambda n: n.kind == "product", own=True):
                signals = [n for n in stop.inputs if graph.is_signal(n)]
                if stop.kind == "product" and len(signals) == 2:
                    sides = {"query": signals[:1], "key": signals[1:]}
            weighted = _next_product(graph, self._consumers, number)
            if weighted is not None:
                sides["value"] = [
                    n
                    for n in graph.signal_inputs(weighted)
                    if not graph.descends(n, number)
                ]
        return {
            name: {
                stop.use
                for n in numbers
                for stop, _ in graph.back(n, is_layer, own=True)
                if stop.use is not None
            }
            for name, numbers in sides.items()
        }

    def roles(self) -> dict[int, tuple[str, int]]:
        """Return, by use, its part in an attention, and how many ways it is cut."""
        found: dict[int, list[str]] = {}
        for record in self._records.attentions:
            for name, uses in self._sides(record.node).items():
                for use in uses:
                    known = found.setdefault(use, [])
                    if name not in known:
                        known.append(name)
        # One layer that feeds all sides without a split is shared, not packed.
        return {
            use: (names[0], 1) if len(names) == 1
            else ("packed", len(names) if self._is_cut(use, len(names)) else 1)
            for use, names in found.items()
        }  # fmt: skip

    def _is_cut(self, use: int, parts: int) -> bool:
        record = self._records.uses[use]
        units = record.layer.shape[0]
        todo, seen = [record.node], set()
        while todo:
            readers = [
                n for n in self._consumers[todo.pop()]
                if self._graph.nodes[n].kind in ("view", "shift")
            ]  # fmt: skip
            nodes = [self._graph.nodes[n] for n in readers]
            if any(node.parts == parts for node in nodes):
                return units % parts == 0
            if sum(node.name in ("getitem", "select", "narrow") for node in nodes) >= 2:
                return units % parts == 0
            for number in readers:
                if number not in seen:
                    seen.add(number)
                    todo.append(number)
        return False

    def uses(self) -> tuple[AttentionUse, ...]:
        """Return the attentions that ran, with the uses that make queries and keys."""
        found = []
        for record in self._records.attentions:
            sides = self._sides(record.node)
            uses = sides.get("query", set()) | sides.get("key", set())
            scaled = self._is_scaled(record.node)
            found.append(
                AttentionUse(
                    module=record.module,
                    length=record.length,
                    width=record.width,
                    scale=record.scale,
                    logit_std=record.logit_std,
                    entropy=record.entropy,
                    scaled=scaled,
                    uses=tuple(sorted(uses)),
                )
            )
        return tuple(found)

    def choices(self) -> tuple[Choice, ...]:
        """Return the softmaxes that are no attention's, and no output."""
        return tuple(
            Choice(
                module=record.module,
                parameter=record.parameter,
                length=record.length,
                logit_std=record.logit_std,
                entropy=record.entropy,
                factors=record.factors,
            )
            for record in self._records.choices
            if not self._comes_out(record.node)
        )

    def _comes_out(self, number: int) -> bool:
        """Whether a node is an output of the model, but for views and logarithms."""
        todo, seen = [number], {number}
        while todo:
            one = todo.pop()
            if one in self._graph.outputs:
                return True
            readers = [self._graph.nodes[n] for n in self._consumers[one]]
            through = ("view", "unary", "scale", "cat")
            new = {node.number for node in readers if node.kind in through} - seen
            todo += new
            seen |= new
        return False

    def _is_scaled(self, number: int) -> bool:
        """Whether anything multiplies or normalizes queries, keys or logits."""
        node = self._graph.nodes[number]
        if node.kind == "attention":
            record = next(a for a in self._records.attentions if a.node == node.number)
            return record.scale * record.width**0.5 < _UNSCALED
        passed = {
            kind
            for stop, kinds in self._graph.back(number, is_layer, own=True)
            for kind in kinds
            if stop.use is not None
        }
        return bool(passed & {"scale", "norm", "factor"})


def is_layer(node: Node) -> bool:
    """Whether a node is a weight's use."""
    return node.kind == "layer" and node.use is not None


def _next_product(graph: Graph, consumers: list[list[int]], number: int) -> Node | None:
    for _ in range(6):
        above = [graph.nodes[n] for n in consumers[number]]
        product = next((n for n in above if n.kind == "product"), None)
        if product is not None or not above:
            return product
        number = above[0].number
    return None
