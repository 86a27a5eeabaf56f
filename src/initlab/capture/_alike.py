"""Units made by functions of parameters, as distances from centres: alike, or off.

A parameter whose rows are all equal makes as many copies of one unit, whether a layer
weighs it or not; and what is squashed to 0 everywhere says nothing of the inputs.
"""

import math

import torch
from torch import Tensor

from initlab.capture._graph import Graph, Node
from initlab.capture._moments import moments
from initlab.capture._records import UseRecord
from initlab.capture._trace import FunctionCall, Trace

# Three equal channels are a grey picture.
_FEWEST = 4
_EQUAL = 1e-5
_DISTANCES = frozenset(
    {"sum", "mean", "norm", "vector_norm", "linalg_vector_norm", "linalg_norm", "cdist"}
)


def note_alike(trace: Trace, signal: Tensor) -> None:
    """Record which parameter's equal rows make all numbers on the last axis equal.

    Numbers that are the same in all examples, as zeros make them, do not count.
    """
    if not _are_copies(signal):
        return
    number, units = trace.node_of(signal), signal.shape[-1]
    if number is None or not trace.graph.carries_signal(number):
        return
    found = {
        name: (parameter.numel(), float(parameter.abs().amax()), name)
        for name in _met(trace.graph, number)
        if _has_equal_rows(parameter := trace.parameters[name].detach(), units)
    }
    # Several may have equal rows: equal centres usually come with equal widths, and
    # frequencies with phases of 0. The one with most entries is named, or the largest.
    if found:
        name = max(found, key=lambda one: found[one])
        trace.records.alike[name] = units


def note_distances(trace: Trace, call: FunctionCall, output: Tensor) -> None:
    """Look at what may be distances, which need no further layer to be of use."""
    if call.name in _DISTANCES:
        note_alike(trace, output)


def note_silence(trace: Trace, record: UseRecord, given: Tensor | None) -> None:
    """Record which parameter silenced a signal that reaches a layer as zeros.

    It is the largest of those that the signal met: one far down a squashing function
    gives zeros. If one of them is all zeros itself, that says enough, and nothing is
    recorded.
    """
    number = None if given is None else trace.node_of(given)
    if number is None or not trace.graph.carries_signal(number):
        return
    assert given is not None
    if not given.is_floating_point() or not _is_silent(trace, given):
        return
    parameters = {n: trace.parameters[n].detach() for n in _met(trace.graph, number)}
    sizes = {
        name: float(torch.linalg.vector_norm(one.float())) / math.sqrt(one.numel())
        for name, one in parameters.items()
        if one.numel() and not one.is_complex()
    }
    if sizes and min(sizes.values()) > 0:
        record.silenced_by = max(sizes, key=lambda name: sizes[name])


def _is_silent(trace: Trace, signal: Tensor) -> bool:
    found = trace.once(moments, signal)
    return not found.rms > 0


def _are_copies(signal: Tensor) -> bool:
    if not signal.is_floating_point() or signal.dim() < 2:
        return False
    entries = signal.shape.numel()  # none, where an expert is given no example
    if signal.shape[-1] < _FEWEST or entries in (0, signal.shape[-1]):
        return False
    rows = signal.detach().reshape(-1, signal.shape[-1])
    if not _are_equal(rows[0]):
        return False
    first = rows[:, :1]
    size = float(first.abs().amax())
    if not 0 < size < math.inf or _are_equal(first.flatten()):
        return False
    return bool((rows - first).abs().amax() <= _EQUAL * size)


def _are_equal(values: Tensor) -> bool:
    low, high = (float(end) for end in values.aminmax())
    return high - low <= _EQUAL * max(abs(high), abs(low))


def _has_equal_rows(values: Tensor, units: int) -> bool:
    """Whether along some axis of so many units everything is equal.

    Biases of 0 are how biases start, as thresholds that one number is held against.
    """
    if values.dim() < 2 and not bool(values.any()):
        return False
    return any(
        size == units and bool((values == values.narrow(axis, 0, 1)).all())
        for axis, size in enumerate(values.shape)
    )


def _met(graph: Graph, number: int) -> set[str]:
    """Return the parameters that a signal met since the last layers that it passed.

    Layers that make weights of parameters are none of these.
    """
    todo, seen, found = [number], {number}, set()
    while todo:
        node: Node = graph.nodes[todo.pop()]
        if node.kind == "parameter":
            found.add(node.name)
        elif node.use is not None and graph.carries_signal(node.number):
            continue
        new = set(node.inputs) - seen
        seen |= new
        todo.extend(new)
    return found
