"""What users write by hand, recognized in the graph: activations, recurrences, ..."""

from itertools import pairwise

from initlab.capture._graph import Graph, Node, between
from initlab.capture._records import UseRecord
from initlab.capture._trace import FunctionCall

# What a plain recurrence does between two uses of its weight; what it made of a state
# of zeros is no signal, and adding it a shift.
_STEPS = frozenset({"sum", "shift", "activation", "view"})
_GATED_STEPS = _STEPS | {"factor", "scale", "unary", "layer"}
_FEWEST_STEPS, _MOST_GATES = 3, 4
# Views of a part of a signal.
_CUTS = frozenset({"getitem", "select", "narrow"})
_TURNS = frozenset({"transpose", "permute", "t", "T", "mT", "swapaxes", "movedim"})


def self_gated(graph: Graph, inputs: tuple[int, ...]) -> tuple[str, int] | None:
    """Recognize x * sigmoid(x) and x * (1 + tanh(...)): SiLU and GELU by hand."""
    if len(inputs) != 2:
        return None
    for x, gate in (inputs, inputs[::-1]):
        node, name = graph.nodes[gate], ""
        source = _unscaled(graph, x)
        if graph.nodes[source].parts > 1:
            continue
        for _ in range(12):
            if node.kind == "activation":
                name = node.name
            elif node.kind not in (
                "sum",
                "factor",
                "shift",
                "scale",
                "unary",
                "view",
            ):
                break
            below = [n for n in node.inputs if graph.carries_signal(n)]
            if name and source in below:
                return ("silu" if name == "sigmoid" else "gelu"), source
            if len(below) != 1 and not (below and name):
                break
            node = graph.nodes[max(below)]
    return None


def divides_by_own_size(graph: Graph, inputs: tuple[int, ...]) -> bool:
    """Recognize a normalization by hand: x times a power of its own mean square."""
    if len(inputs) != 2:
        return False
    for x, size in (inputs, inputs[::-1]):
        node = graph.nodes[size]
        for _ in range(6):
            if node.kind == "reduction":
                common = graph.ancestors(node.number)
                return bool(
                    common & graph.ancestors(x)
                    and any(
                        common >> n & 1
                        for n in (x, *graph.nodes[x].inputs)
                        if graph.carries_signal(n)
                    )
                )
            below = [n for n in node.inputs if graph.carries_signal(n)]
            if node.kind not in ("unary", "shift", "view", "scale") or len(below) != 1:
                break
            node = graph.nodes[below[0]]
    return False


def is_recurrence(graph: Graph, use: UseRecord) -> bool:
    """Recognize h = f(W h + x) in a loop: a square weight given its own output."""
    if use.calls < 2 or use.rows.shape[0] != use.rows.shape[1]:
        return False
    passed = _passed_between(graph, use)
    return bool(passed & {"sum", "shift"}) and passed <= _STEPS


def is_gated_recurrence(graph: Graph, use: UseRecord) -> bool:
    """Recognize the recurrent weight of LSTMs and GRUs by hand, packed or a gate's own.

    Its output meets gates, and comes back to it.
    """
    units, inputs = use.rows.shape
    if use.calls < _FEWEST_STEPS or not inputs or units % inputs:
        return False
    if units > _MOST_GATES * inputs:
        return False
    return {"activation", "factor"} <= _passed_between(graph, use) <= _GATED_STEPS


def is_joined_recurrence(graph: Graph, use: UseRecord) -> bool:
    """Recognize f(W [x, h]) in a loop: inputs and a state side by side."""
    if use.calls < _FEWEST_STEPS or use.layer.kind != "linear":
        return False
    passed = _passed_between(graph, use)
    return {"activation", "cat"} <= passed <= _GATED_STEPS | {"cat"}


def _passed_between(graph: Graph, use: UseRecord) -> set[str]:
    """Return the kinds of nodes from each call of a use to the next one.

    The set is empty if some call is not given the output of the one before.
    """
    passed: set[str] = set()
    for first, second in pairwise(use.nodes):
        if not graph.descends(second, first):
            return set()
        passed |= {graph.nodes[n].kind for n in between(graph, first, second)}
    return passed


def averages_units(graph: Graph, use: UseRecord, call: FunctionCall) -> bool:
    """Whether a reduction is over a layer's units: tokens that a layer has mixed.

    They lie along the layer's own axis, or along another where it is turned at once.

    Args:
        graph: Up to the reduction.
        use: A layer below, with as many units as entries are reduced to one.
        call: The reduction.
    """
    turned = any(
        node.name in _TURNS and use.node in node.inputs for node in graph.nodes
    )
    axis = call.kwargs.get("dim", call.args[1] if len(call.args) > 1 else None)
    axis = axis[0] if isinstance(axis, tuple | list) and len(axis) == 1 else axis
    if not isinstance(axis, int):
        return False
    axis -= call.given.dim() if axis >= 0 else 0
    return (axis != use.unit_axis) if turned else (axis == use.unit_axis != -1)


def follows_product(graph: Graph, node: Node) -> bool:
    """Whether a softmax is an attention's: of a product of two signals."""
    for _ in range(8):
        below = [n for n in node.inputs if graph.carries_signal(n)]
        if not below:
            return False
        node = graph.nodes[below[0]]
        if node.kind == "product":
            return sum(map(graph.is_signal, node.inputs)) == 2
        if node.kind in ("layer", "activation", "attention"):
            return False
    return False


def product_width(graph: Graph, node: Node) -> int:
    """Return of how many terms the product is that a softmax follows."""
    while node.kind != "product":
        node = graph.nodes[graph.signal_inputs(node)[0]]
    return node.width


def exponent_of(graph: Graph, number: int) -> str:
    """Return the parameter whose exponential scales a signal as a whole; or "".

    Example:
        >>> graph = Graph()
        >>> scale = graph.add(kind="parameter", name="log_scale")
        >>> x = graph.add(kind="input", name="x")
        >>> power = graph.add(kind="unary", name="exp", inputs=(scale.number,))
        >>> y = graph.add(kind="scale", name="mul", inputs=(x.number, power.number))
        >>> exponent_of(graph, y.number)
        'log_scale'
    """
    todo = [number]
    while todo:
        node = graph.nodes[todo.pop()]
        if node.kind not in ("view", "scale", "product"):
            continue
        # A product is as large as each of its factors makes it.
        signals = [n for n in node.inputs if graph.carries_signal(n)]
        if len(signals) == 1 or node.kind == "product":
            todo += signals
        for below in set(node.inputs) - set(signals):
            factor = graph.nodes[below]
            while factor.kind == "view":
                factor = graph.nodes[factor.inputs[0]]
            sources = graph.parameters(factor.number)
            if node.kind == "scale" and factor.name == "exp" and len(sources) == 1:
                return sources[0].name
    return ""


def _unscaled(graph: Graph, number: int) -> int:
    """Return the node before factors and views that involve nothing else.

    A part of a signal is another one than its other parts.
    """
    node = graph.nodes[number]
    while node.kind in ("scale", "view") and len(node.inputs) == 1:
        if node.parts > 1 or node.name in _CUTS:
            break
        node = graph.nodes[node.inputs[0]]
    return node.number
