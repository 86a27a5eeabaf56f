"""How a function's call enters the trace: as a node, and by its role in the network."""

from typing import Any

from torch import Tensor

from initlab.capture import _measure as measure
from initlab.capture import _softmaxes as softmaxes
from initlab.capture._alike import note_alike, note_distances, note_silence
from initlab.capture._by_hand import enter_shift, overflowing_parameter
from initlab.capture._cells import note_kept
from initlab.capture._graph import Graph, Node
from initlab.capture._layer_call import LayerCall
from initlab.capture._layers import layer_calls
from initlab.capture._norms import enter_norm, scaled_before, scaled_norm
from initlab.capture._operations import ACTIVATION_OF
from initlab.capture._patterns import (
    averages_units,
    divides_by_own_size,
    follows_product,
    product_width,
    self_gated,
)
from initlab.capture._records import UseRecord
from initlab.capture._recurrent import recurrent_calls
from initlab.capture._tables import looked_up, multiplied
from initlab.capture._trace import FunctionCall, Trace

# A view may choose rows of a table.
_MAY_WEIGH = frozenset({"layer", "product", "recurrent", "view"})
_PRODUCTS = frozenset({"mul", "rmul", "imul", "multiply"})
# Of a layer's later calls in a loop; from one to the next gradients hardly change.
_ONE_IN = 4


def enter(
    trace: Trace,
    call: FunctionCall,
    outputs: list[Tensor],
    sizes: tuple[float, float] | None,
) -> Node:
    """Record one call and its outputs; return its node, of several the last.

    Args:
        trace: Where to.
        call: The function, and what it was given.
        outputs: Every tensor of what it returned.
        sizes: Root mean squares of a sum's two signals before it.
    """
    layers = _layers_of(trace, call)
    if layers:
        node = _enter_layers(trace, call, layers, outputs[0])
        trace.came_out(outputs, node)
        return node
    node = _node_of(trace, call, len(outputs))
    trace.came_out(outputs, node)
    overflowing_parameter(trace, call, outputs[0])
    _measure_node(trace, node, call, outputs[0], sizes)
    return node


def enter_again(trace: Trace, node: Node, outputs: list[Tensor]) -> None:
    """Take what a later round of a loop gave for what the call before it gave.

    Of a layer's gradients some are measured, each for as many calls.
    """
    trace.came_out(outputs, node)
    if node.use is not None:
        record = trace.records.uses[node.use]
        record.calls += 1
        if record.calls % _ONE_IN == 0:
            measure.watch_delta(trace, record, outputs[0], calls=_ONE_IN)


def _layers_of(trace: Trace, call: FunctionCall) -> list[LayerCall]:
    """Return the layers that a function is; none if it is something else."""
    if call.kind not in _MAY_WEIGH:
        return []
    if any(tensor.is_complex() for tensor in call.tensors):
        return []  # no law is known for what weighs a Fourier transform
    if call.kind == "recurrent":
        return recurrent_calls(call.name, call.args, call.kwargs, trace.is_weight)
    if any(not t.numel() and trace.is_weight(t) for t in call.tensors):
        return []  # a layer without units, or without inputs
    if call.kind == "view":
        return looked_up(trace, call)
    calls = layer_calls(call.name, call.args, call.kwargs, trace.is_weight)
    if call.kind == "product" and not all(trace.is_signal(c.given) for c in calls):
        return []  # parameters made into a weight: a parametrization
    return multiplied(trace, call, calls)


def _node_of(trace: Trace, call: FunctionCall, parts: int) -> Node:
    """Add a node for a call that is no layer, named by its role in the network."""
    graph, inputs = trace.graph, call.inputs
    kind, label = call.kind, ACTIVATION_OF.get(call.name, call.name)
    if kind == "factor" and (gated := self_gated(graph, inputs)):
        kind, label, inputs = "activation", gated[0], (gated[1],)
    elif kind == "factor" and divides_by_own_size(graph, inputs):
        kind, label = "norm", "rms_norm"
    if kind in ("sum", "factor") and sum(map(graph.carries_signal, inputs)) < 2:
        kind = "shift" if kind == "sum" else "scale"
    if kind == "scale":
        scaled_norm(trace, inputs, call.args)
    node = graph.add(
        kind=kind,
        name=label,
        inputs=inputs,
        module=trace.where,
        parts=parts,
        owner=trace.owner_of(kind, inputs),
    )
    if kind == "product" and isinstance(call.args[0], Tensor):
        node.width = call.args[0].shape[-1]
    return node


def _measure_node(
    trace: Trace,
    node: Node,
    call: FunctionCall,
    output: Tensor,
    sizes: tuple[float, float] | None,
) -> None:
    graph, records = trace.graph, trace.records
    _note_use(trace, node, call, output)
    note_distances(trace, call, output)
    if node.kind == "activation":
        _enter_activation(trace, node, call, output)
    elif node.kind == "sum" and sizes is not None:
        records.sums[node.number] = (*sizes, measure.rms_of(trace, output))
    elif node.kind == "norm" and graph.carries_signal(node.number):
        # Weights are standardized by the same functions.
        norm = enter_norm(
            trace, node, call.name, _gamma(trace, call), _beta(trace, call)
        )
        if call.kind == "factor":
            scaled_before(trace, norm)
    elif node.kind == "attention":
        records.attentions.append(softmaxes.fused_attention(node, call))
    elif node.kind == "softmax" and follows_product(graph, node):
        width = product_width(graph, node)
        records.attentions.append(softmaxes.plain_attention(node, call.given, width))
    elif node.kind == "softmax" and (made := softmaxes.choice(trace, node, call)):
        records.choices.append(made)
    elif node.kind == "shift":
        enter_shift(trace, node, call, output)
    elif node.kind == "scale":
        factors = [n for n in node.inputs if not graph.carries_signal(n)]
        names = [name for n in factors if (name := _parameter_of(graph, n))]
        if names:
            records.scaled_by[node.number] = names[0]


def _parameter_of(graph: Graph, number: int) -> str | None:
    """Return the parameter of which a factor is an entry, or a multiple."""
    node = graph.nodes[number]
    while node.kind in ("view", "scale") and len(node.inputs) == 1:
        node = graph.nodes[node.inputs[0]]
    return node.name if node.kind == "parameter" else None


def _note_use(trace: Trace, node: Node, call: FunctionCall, output: Tensor) -> None:
    """Record what a layer's units are for, where a function tells."""
    uses, graph = trace.records.uses, trace.graph
    if call.name == "pixel_shuffle" and node.owner is not None:
        uses[node.owner].values["shuffled"] = call.given.shape[-3] / output.shape[-3]
    elif node.kind == "factor":
        note_kept(trace, node, call)
        for number in node.inputs:
            owner = graph.nodes[number].owner
            if owner is not None and uses[owner].layer.kind == "embedding":
                uses[owner].values["multiplies"] = 1.0
    elif node.kind == "product":
        for given in call.tensors:
            made_by = trace.owner(given)
            if made_by is not None and _is_made_a_matrix(made_by, given):
                made_by.values["makes_weights"] = 1.0
    elif node.kind == "reduction" and output.numel():
        for use in uses:
            same = use.units * output.numel() == call.given.numel()
            below = same and graph.descends(node.number, use.node)
            if below and averages_units(graph, use, call):
                use.values["averaged_units"] = 1.0


def _is_made_a_matrix(use: UseRecord, given: Tensor) -> bool:
    """Whether a layer's units are laid out as rows and columns, as by a hypernetwork.

    The matrices of attentions have the positions along one of their axes, those of
    experts the experts.
    """
    if given.dim() < 2 or use.parts > 1 or not use.values.get("output_positions"):
        return False
    entries = given.shape[-2] * given.shape[-1]
    return given.numel() == use.values["output_positions"] * entries


def _enter_activation(
    trace: Trace, node: Node, call: FunctionCall, output: Tensor
) -> None:
    owner = None if node.owner is None else trace.records.uses[node.owner]
    if owner is None:
        return
    if call.name != node.name and call.name in _PRODUCTS:
        owner.activation = ""  # what seemed to be one was only its gate
        owner.values.pop("saturated_share", None)
        owner.values.pop("inactive_units", None)
    if not owner.activation:
        owner.activated = node.number
        node.slope = measure.left_activation(trace, owner, node.name, call, output)


def _gamma(trace: Trace, call: FunctionCall) -> Tensor | None:
    given = call.kwargs.get("weight")
    if isinstance(given, Tensor):
        return given
    tensors = (t for t in call.args if isinstance(t, Tensor))
    return next(filter(trace.is_weight, tensors), None)


def _beta(trace: Trace, call: FunctionCall) -> Tensor | None:
    given = call.kwargs.get("bias")
    if isinstance(given, Tensor):
        return given
    tensors = [t for t in call.args if isinstance(t, Tensor)]
    weights = [t for t in tensors if trace.is_weight(t)]
    return weights[1] if len(weights) == 2 else None


def _enter_layers(
    trace: Trace, call: FunctionCall, layers: list[LayerCall], output: Tensor
) -> Node:
    """Add a node for each layer that a function is; return the last."""
    below = call.inputs
    for number, layer in enumerate(layers):
        node = trace.graph.add(
            kind="layer", name=call.name, inputs=below, module=trace.where
        )
        record = _use_of(trace, call.name, layer, node)
        node.use = node.owner = record.number
        last = number == len(layers) - 1
        if layer.role and number == 0 and not last:
            record.values.setdefault("given_rms", measure.rms_of(trace, layer.given))
        if record.calls == 1 and layer.layer.kind == "linear":
            note_alike(trace, layer.given)
            note_silence(trace, record, layer.given)
        measure.layer_output(trace, record, layer, output if last else None)
        below = (node.number,)
    return node


def _use_of(trace: Trace, name: str, call: LayerCall, node: Node) -> UseRecord:
    """Return the record of a weight's use: a new one, or that of an earlier call."""
    sources = trace.sources(call.weight)
    # Slices of one parameter are weights of their own.
    slice_ = (call.weight.storage_offset(), tuple(call.weight.shape))
    key: tuple[Any, ...] = (sources, trace.where, name, call.role, slice_)
    record = trace.uses.get(key)
    if record is not None:
        record.calls += 1
        record.nodes.append(node.number)
        return record
    record = UseRecord(
        number=len(trace.records.uses),
        node=node.number,
        nodes=[node.number],
        module=trace.where,
        sources=sources,
        bias=next(iter(trace.sources(call.bias)), None),
        operation=name,
        layer=call.layer,
        rows=call.rows,
        units=len(call.rows) if call.layer.kind != "embedding"
        else call.layer.shape[1],
        unit_axis=call.unit_axis,
        stored_transposed=call.stored_transposed,
        derived=trace.is_derived(call.weight),
        role=call.role,
        parts=call.parts,
        bias_value=call.bias,
    )  # fmt: skip
    trace.uses[key] = record
    trace.records.uses.append(record)
    return record
