"""Every parameter as it stands, and what the passes say about it."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from initlab.capture._graph import Graph, Node
from initlab.capture._moments import as_real, equal_rows, moments, norm
from initlab.capture._records import Records
from initlab.capture._unread import unread_parameters
from initlab.spec import ParameterReading

# The most entries of a parameter that go into its fingerprint.
_HASHED = 4096
# Operations that pass numbers on as they are, in a sum, or by a gate's share.
_ADDS = frozenset({"view", "sum", "shift", "cat", "dropout", "average", "factor"})
# Entries among which equal ones are looked for.
_COMPARED = 256
# Gradients that differ by less are equal but for the order of their sums.
_ALIKE = 1e-4
# Batches that a model may have seen before anybody trains it.
_TRIED = 50
# No initializer draws such small numbers; memory that held something else has them.
_TINY = 1e-20


def read_parameters(
    model: nn.Module,
    graph: Graph,
    records: Records,
) -> tuple[ParameterReading, ...]:
    """Return every parameter of a model once, in order of registration.

    Args:
        model: That ran.
        graph: Of the run.
        records: Of the run.
    """
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    roles, added_last = _roles(graph, records), _added_last(graph, records)
    unread = unread_parameters(graph, records)
    copying = tuple(
        f"{path}.layers." if path else "layers."
        for path, module in model.named_modules()
        if isinstance(module, nn.TransformerEncoder | nn.TransformerDecoder)
    )
    used = {
        graph.nodes[number].name
        for node in graph.nodes
        for number in node.inputs
        if graph.nodes[number].kind == "parameter"
    } | {graph.nodes[number].name for number in graph.outputs}
    return tuple(
        ParameterReading(
            name=name,
            aliases=tuple(names[id(parameter)][1:]),
            shape=tuple(parameter.shape),
            dtype=str(parameter.dtype).removeprefix("torch."),
            frozen=not parameter.requires_grad,
            used=name in used,
            reached=False,
            role=roles.get(name, "other"),
            copied=name.startswith(copying),
            added_ratio=records.added.get(name, math.nan),
            beside_ratio=records.beside.get(name, math.nan),
            flat_in=records.flat.get(name, ""),
            alike_units=records.alike.get(name, 0),
            overflows_in=records.overflows.get(name, ""),
            added_last=name in added_last,
            unread_in=unread.get(name, ""),
            **_entries(_as_numbers(parameter.detach())),
        )
        for name, parameter in model.named_parameters()
    )


def _as_numbers(values: Tensor) -> Tensor:
    """Return real numbers; of indices, too, as offsets into a table are."""
    real = as_real(values)
    return real if real.is_floating_point() else real.double()


def gradient_facts(gradient: Tensor | None) -> dict[str, Any]:
    """Return what a parameter's gradient says, as fields of `ParameterReading`."""
    if gradient is None:
        return {"reached": False}
    gradient = as_real(gradient)
    smallest = torch.finfo(gradient.dtype).smallest_normal
    if gradient.is_sparse:
        gradient = gradient.coalesce().values()
    real = gradient.float() if gradient.element_size() < 4 else gradient
    size = norm(real)
    facts: dict[str, Any] = {
        "reached": True,
        "gradient_norm": size,
        "gradient_zero": size == 0,
    }
    if not math.isfinite(size):
        facts["gradient_nonfinite"] = int((~torch.isfinite(gradient)).sum())
    if gradient.element_size() < 4:
        sizes = gradient.abs()
        under = int(((sizes > 0) & (sizes < smallest)).sum())
        facts["gradient_subnormal"] = under / max(1, gradient.numel())
    return facts


def elasticity(values: Tensor, gradient: Tensor | None, loss: Tensor) -> float:
    """Return the relative change of a loss over that of a parameter.

    Example:
        >>> loss = (p := torch.tensor([8.0], requires_grad=True)).exp().sum()
        >>> elasticity(p, *torch.autograd.grad(loss, p), loss)
        8.0
    """
    if gradient is None or values.is_complex():
        return math.nan
    if gradient.is_sparse:  # as tables may ask for: only of the rows that were used
        gradient = gradient.coalesce()
        rows = gradient.indices()[0]
        values, gradient = values.detach()[rows], gradient.values()
    size = abs(float(loss.detach()))
    product = float(torch.dot(values.detach().flatten().float(),
                               gradient.flatten().float()))  # fmt: skip
    return product / size if size > 0 else math.nan


def twin_share(values: Tensor, gradient: Tensor | None) -> float:
    """Return the share of a tensor's equal units that learn what another one learns.

    Units are rows, or columns of a constant tensor where more of these are alike; units
    that get nothing do not count. What starts equal and learns the same stays equal.

    Example:
        >>> learns = torch.tensor([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]])
        >>> twin_share(torch.zeros(3, 2), learns), twin_share(learns, learns)
        (1.0, 0.0)
    """
    if gradient is None or gradient.is_sparse or gradient.is_complex():
        return 0.0
    if not values.numel():
        return 0.0
    axes = [size for size in values.shape if size > 1]
    if len(axes) < 2:
        return 0.0
    rows = values.detach().reshape(axes[0], -1)
    if not (torch.equal(rows[0], rows[-1]) and bool((rows == rows[0]).all())):
        return 0.0
    twins = _twins(gradient.reshape(axes[0], -1).float())
    if bool((rows[0] == rows[0, 0]).all()):
        twins = max(twins, _twins(gradient.reshape(-1, axes[-1]).float().T))
    return twins


def twin_columns(values: Tensor, gradient: Tensor | None) -> float:
    """Return the share of a table's columns that learn what another one learns.

    Where all columns are equal, and rows differ; else 0.
    """
    if gradient is None or gradient.is_sparse or gradient.is_complex():
        return 0.0
    if values.dim() != 2 or min(values.shape) < 2:
        return 0.0
    table = values.detach()
    if not torch.equal(table[:, 0], table[:, -1]) or bool((table == table[0]).all()):
        return 0.0
    return _twins(gradient.float().T) if bool((table == table[:, :1]).all()) else 0.0


def _twins(rows: Tensor) -> float:
    met = int(torch.count_nonzero(rows.any(dim=1)))
    return sum(map(len, equal_rows(rows, _ALIKE))) / met if met else 0.0


def _entries(values: Tensor) -> dict[str, Any]:
    count = values.numel()
    if count == 0:
        return {
            "mean": 0.0, "std": 0.0, "largest": 0.0, "zero_share": 0.0,
            "nonfinite": 0, "constant": True, "fingerprint": "",
        }  # fmt: skip
    real = values.float() if values.element_size() < 4 else values
    of_all = moments(real)
    low, high = (float(end) for end in real.aminmax())
    largest = max(abs(low), abs(high))
    sizes, small, zeros = real.abs(), 0, 0
    if not float(sizes.amin()) >= _TINY:  # or nan
        small = int(torch.count_nonzero(sizes < _TINY))
        zeros = count - int(torch.count_nonzero(real))
    return {
        "mean": of_all.mean,
        "std": 0.0 if low == high else of_all.std,
        "largest": largest,
        "zero_share": zeros / count,
        "nonfinite": of_all.nonfinite,
        "constant": low == high,
        "fingerprint": _fingerprint(values),
        "tiny_share": (small - zeros) / count,
        "distinct_share": _distinct_share(real),
    }


def _distinct_share(real: Tensor) -> float:
    some = real.flatten()[:_COMPARED].tolist()
    return len(set(some)) / len(some)


def _fingerprint(values: Tensor) -> str:
    count = values.numel()
    stride = max(1, count // _HASHED)
    # A stride that shares a factor with an axis would miss entries along it.
    while math.gcd(stride, count) > 1:
        stride += 1
    some = values.flatten()[::stride].contiguous().cpu()
    raw = some.view(torch.uint8).numpy().tobytes()
    return hashlib.blake2b(raw + str(tuple(values.shape)).encode()).hexdigest()[:16]


def _roles(graph: Graph, records: Records) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in graph.nodes:
        for number in node.inputs:
            source = graph.nodes[number]
            if source.kind != "parameter":
                continue
            if node.kind == "scale":
                found.setdefault(source.name, "scale")
            elif node.kind in ("shift", "cat"):
                found.setdefault(source.name, "shift")
    for known in records.norms:
        if known.gamma is not None:
            found[known.gamma] = "gamma"
        if known.beta is not None:
            found[known.beta] = "beta"
    for use in records.uses:
        kind = "embedding" if use.layer.kind == "embedding" else "weight"
        for name in use.sources:
            found[name] = kind if found.get(name) != "weight" else "weight"
        if use.bias is not None:
            found[use.bias] = "bias"
    return found


def _added_last(graph: Graph, records: Records) -> set[str]:
    """Return the parameters that are only ever added to the outputs."""
    biases = {number: use.bias for use in records.uses for number in use.nodes}
    consumers = graph.consumers()

    def adds(below: Node, above: Node) -> bool:
        if above.kind == "layer":
            return below.kind == "parameter" and biases.get(above.number) == below.name
        if above.kind == "scale":
            return graph.carries_signal(below.number)
        return above.kind in _ADDS or above.name in ("mean", "sum")

    ends: set[int] = set()
    for node in reversed(graph.nodes):
        above = [graph.nodes[number] for number in consumers[node.number]]
        if all(one.number in ends and adds(node, one) for one in above):
            ends.add(node.number)
    return {node.name for node in graph.nodes
            if node.kind == "parameter" and node.number in ends}  # fmt: skip


def has_counted(model: nn.Module) -> bool:
    """Whether a batch normalization has counted more batches than a trial takes."""
    return any(
        name.endswith("num_batches_tracked") and int(buffer) > _TRIED
        for name, buffer in model.named_buffers()
    )


def has_varied_gammas(parameters: Mapping[str, Tensor], records: Records) -> bool:
    """Whether most normalizations differ by entry, as only training leaves them.

    Gammas alone may be drawn; betas besides are not, but by a loop that draws every
    parameter around 0, where no training leaves a gamma.
    """
    varied = 0
    names = [known.gamma for known in records.norms if known.gamma]
    for name in names:
        beta = parameters.get(name.removesuffix("weight") + "bias")
        pair = [parameters[name]] + ([beta] if beta is not None else [])
        varies = all(p.numel() > 1 and bool((p != p.flatten()[0]).any()) for p in pair)
        varied += varies and _is_centred_away(parameters[name].detach())
    return varied > len(names) / 2


def _is_centred_away(gamma: Tensor) -> bool:
    """Whether a factor's mean is over its deviation."""
    return abs(float(gamma.float().mean())) > float(gamma.float().std())
