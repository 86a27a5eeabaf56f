"""Parameters of which a model's inputs choose rows: embeddings that no layer owns."""

from typing import Any

import torch
from torch import Tensor

from initlab.capture._graph import Node
from initlab.capture._layer_call import LayerCall
from initlab.capture._trace import FunctionCall, Trace
from initlab.spec import LayerSpec

_MATRIX = 2
_ALONG_AN_AXIS = frozenset({"gather", "take_along_dim"})


def looked_up(trace: Trace, call: FunctionCall) -> list[LayerCall]:
    """Return the embedding that an indexing of a parameter is, if it is one.

    Slices, as of positions, are none, nor is what is chosen by a buffer or by what the
    model computes of its parameters, as experts and codes are.
    """
    if call.name == "getitem":
        found = _indexed(*call.args) if len(call.args) == _MATRIX else None
    elif call.name == "index_select":
        first = call.argument(1, "dim", None) == 0
        found = (call.given, call.argument(2, "index", None)) if first else None
    elif call.name in _ALONG_AN_AXIS:
        found = _gathered(call)
    else:
        return []
    if found is None:
        return []
    weight = _table(trace, found[0])
    if weight is None or not _comes_of_inputs(trace, found[1]):
        return []
    return [_embedding(weight, found[1])]


def multiplied(
    trace: Trace, call: FunctionCall, layers: list[LayerCall]
) -> list[LayerCall]:
    """Return layers; where they are products of one-hot rows and a table, embeddings.

    Args:
        trace: In which the call is met.
        call: A product.
        layers: That it would be.
    """
    if call.kind != "product" or len(layers) != 1 or not layers[0].stored_transposed:
        return layers
    weight = _table(trace, layers[0].weight)
    if weight is None or not _is_one_hot(trace, layers[0].given):
        return layers
    return [_embedding(weight, layers[0].given)]


def _embedding(weight: Tensor, given: Tensor) -> LayerCall:
    return LayerCall(
        weight=weight,
        bias=None,
        layer=LayerSpec(kind="embedding", shape=tuple(weight.shape)),
        rows=weight.detach(),
        given=given,
    )


def _table(trace: Trace, values: Tensor) -> Tensor | None:
    """Return the matrix of parameters that values are, as it is or expanded."""
    sources = trace.sources(values)
    if len(sources) != 1 or not trace.is_weight(values) or trace.is_derived(values):
        return None
    own = trace.parameters[sources[0]]
    lead = values.dim() - own.dim()
    same = own.dim() == _MATRIX and own.is_floating_point()
    if not same or lead < 0 or values.shape[lead:] != own.shape:
        return None
    strides = (*(0 for _ in range(lead)), *own.stride())
    alike = all(
        stride == wanted or size == 1
        for stride, wanted, size in zip(
            values.stride(), strides, values.shape, strict=True
        )
    )
    return own if alike else None


def _indexed(table: Any, index: Any) -> tuple[Tensor, Tensor] | None:
    """Return a table and the rows of it that brackets ask for."""
    first, *rest = index if isinstance(index, tuple) else (index,)
    whole = all(one is Ellipsis or one == slice(None) for one in rest)
    if not whole or not isinstance(first, Tensor) or table.dim() != _MATRIX:
        return None
    return table, first


def _gathered(call: FunctionCall) -> tuple[Tensor, Tensor] | None:
    """Return a table and the rows that are gathered from it whole."""
    indexes = call.name == "gather"
    at = 1 if indexes else 2
    axis = call.argument(at, "dim", None)
    index = call.argument(3 - at, "index" if indexes else "indices", None)
    table = call.given
    if not isinstance(axis, int) or not isinstance(index, Tensor):
        return None
    if axis % table.dim() != table.dim() - 2 or index.dim() != table.dim():
        return None
    # The same row for every feature: expanded, or of an axis that is broadcast.
    whole = index.stride(-1) == 0 or index.shape[-1] == 1 != indexes
    wide = index.shape[-1] in (1, table.shape[-1])
    return (table, index) if whole and wide else None


def _comes_of_inputs(trace: Trace, ids: Tensor) -> bool:
    """Whether whole numbers are made of a model's inputs, and of no parameter."""
    if ids.dtype == torch.bool or not trace.is_signal(ids):
        return False
    return not trace.sources(ids)


def _is_one_hot(trace: Trace, given: Tensor) -> bool:
    """Whether a signal is whole numbers that `one_hot` has turned into rows."""
    number = trace.node_of(given)
    node: Node | None = None if number is None else trace.graph.nodes[number]
    while node is not None and node.kind == "view" and len(node.inputs) == 1:
        node = trace.graph.nodes[node.inputs[0]]
    return node is not None and node.name == "one_hot" and not trace.sources(given)
