"""Normalizations, and the gammas that scale what they give."""

from typing import Any

import torch
from torch import Tensor

from initlab.capture import _measure as measure
from initlab.capture._graph import Node
from initlab.capture._records import NormRecord
from initlab.capture._trace import Trace

_NORMS = frozenset(
    {"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"}
)


def enter_norm(
    trace: Trace,
    node: Node,
    name: str,
    gamma: Tensor | None,
    beta: Tensor | None = None,
) -> NormRecord:
    """Write down a normalization; its kind is the function's name, or the node's."""
    kind = name if name in _NORMS else node.name
    record = NormRecord(node=node.number, module=trace.where, kind=kind, gamma=None)
    if gamma is not None and (sources := trace.sources(gamma)):
        _set_gamma(trace, record, gamma, sources[0])
    if beta is not None and (sources := trace.sources(beta)):
        record.beta, record.beta_rms = sources[0], measure.rms_of(trace, beta)
    trace.records.norms.append(record)
    return record


def scaled_norm(trace: Trace, inputs: tuple[int, ...], args: tuple[Any, ...]) -> None:
    """Take for a gamma what multiplies a signal that was normalized by hand."""
    graph = trace.graph
    signal = next((n for n in inputs if graph.carries_signal(n)), None)
    while signal is not None and graph.nodes[signal].kind == "view":
        signal = next(iter(graph.signal_inputs(graph.nodes[signal])), None)
    gammas = [a for a in args if isinstance(a, Tensor) and trace.is_weight(a)]
    norm = next((n for n in trace.records.norms if n.node == signal), None)
    if norm is None or norm.gamma is not None or len(gammas) != 1:
        return
    sources = trace.sources(gammas[0])
    if len(sources) == 1:
        _set_gamma(trace, norm, gammas[0], sources[0])


def scaled_before(trace: Trace, norm: NormRecord) -> None:
    """Take for a gamma what multiplies a signal that is then divided by its own size.

    The size is the signal's without it: `gamma * x * rsqrt(mean(x**2))`.
    """
    nodes = trace.graph.nodes
    for number in nodes[norm.node].inputs:
        node = nodes[number]
        while node.kind == "view":
            node = nodes[node.inputs[0]]
        name = trace.records.scaled_by.get(node.number)
        others = [n for n in nodes[norm.node].inputs if n != number]
        if name and not any(trace.graph.descends(n, node.number) for n in others):
            _set_gamma(trace, norm, trace.parameters[name], name)


def _set_gamma(trace: Trace, norm: NormRecord, gamma: Tensor, name: str) -> None:
    norm.gamma = name
    norm.gamma_rms = measure.rms_of(trace, gamma)
    norm.gamma_zero = 1 - int(torch.count_nonzero(gamma)) / max(1, gamma.numel())
