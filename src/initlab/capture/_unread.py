"""Parameters that weigh a signal in functions that are read as no layer."""

from initlab.capture._graph import Graph, Node
from initlab.capture._records import Records

# What does more to a parameter than to pass it on, to scale with it, or to add it.
_WEIGHS = frozenset({"layer", "product", "recurrent", "other"})


def unread_parameters(graph: Graph, records: Records) -> dict[str, str]:
    """Return the function that uses a parameter unread, by the parameter's name.

    Args:
        graph: Of the run.
        records: Of the run.
    """
    read = {name for use in records.uses for name in (*use.sources, use.bias)}
    read |= {name for norm in records.norms for name in (norm.gamma, norm.beta)}
    consumers = graph.consumers()
    found: dict[str, str] = {}
    for node in graph.nodes:
        if node.kind == "parameter" and node.name not in read:
            weighs = _first_use(graph, consumers, node)
            if weighs is not None:
                found[node.name] = weighs.name
    return found


def _first_use(graph: Graph, consumers: list[list[int]], own: Node) -> Node | None:
    """Return the first function that weighs a signal with what a parameter is."""
    todo, seen, followed = [own.number], {own.number}, {own.number}
    while todo:
        for number in consumers[todo.pop(0)]:
            node = graph.nodes[number]
            if number in seen:
                continue
            seen.add(number)
            # What is made of parameters alone, or what inputs choose of them.
            chosen = node.kind == "view" and node.inputs[0] in followed
            if node.use is None and (chosen or not graph.is_signal(number)):
                todo.append(number)
                followed.add(number)
            elif node.use is None and (
                node.kind in _WEIGHS or _sums_products(graph, consumers, node)
            ):
                return node
    return None


def _sums_products(graph: Graph, consumers: list[list[int]], node: Node) -> bool:
    """Whether a signal is scaled and summed: a matrix product in two steps."""
    readers = [graph.nodes[number] for number in consumers[node.number]]
    return node.kind == "scale" and any(one.name == "sum" for one in readers)
