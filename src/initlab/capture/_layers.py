"""A call of a function as a layer: its weight with its true geometry."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from initlab.spec import LayerSpec

IsWeight = Callable[[Tensor], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """A weight at work.

    Attributes:
        weight: As the function got it.
        bias: Added by the same function, or None.
        layer: Its geometry.
        rows: The weight as `(unit, incoming)`.
        given: What the weight was applied to.
        unit_axis: Axis of the output that holds the units.
        stored_transposed: Whether the weight is `(in, out)`.
        role: "input" or "recurrent" of a recurrent layer.
        parts: Groups of as many rows each, in order, that have an input each.
    """

    weight: Tensor
    bias: Tensor | None
    layer: LayerSpec
    rows: Tensor
    given: Tensor
    unit_axis: int = -1
    stored_transposed: bool = False
    role: str = ""
    parts: int = 1


def layer_calls(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    """Return the layers that a call of one of torch's functions is; mostly one or none.

    Args:
        name: Of the function, from `name_of`.
        args: Of the call.
        kwargs: Of the call.
        is_weight: Whether a tensor is made of parameters alone.
    """
    if name == "linear":
        return _linear(args, kwargs, is_weight)
    if name.startswith("conv"):
        return _convolution(name, args, kwargs, is_weight)
    if name in ("embedding", "embedding_bag"):
        return _embedding(args, kwargs)
    if name in ("matmul", "rmatmul", "mm", "bmm", "mv"):
        return _product(name, args, kwargs, is_weight)
    if name in ("addmm", "baddbmm"):
        return _product("mm", args[1:], kwargs, is_weight, bias=args[0])
    if name == "einsum":
        return _einsum(args, is_weight)
    return []


def _argument(
    args: Sequence[Any], kwargs: dict[str, Any], place: int, name: str, default: Any
) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _linear(
    args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    given = _argument(args, kwargs, 0, "input", None)
    weight = _argument(args, kwargs, 1, "weight", None)
    if weight is None or weight.dim() != 2 or not is_weight(weight):
        return []
    return [
        LayerCall(
            weight=weight,
            bias=_argument(args, kwargs, 2, "bias", None),
            layer=LayerSpec(shape=tuple(weight.shape)),
            rows=weight.detach(),
            given=given,
        )
    ]


def _convolution(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    weight = _argument(args, kwargs, 1, "weight", None)
    if weight is None or not is_weight(weight) or not 3 <= weight.dim() <= 5:
        return []
    transposed = "transpose" in name
    dims = weight.dim() - 2
    groups_at, dilation_at = (6, 7) if transposed else (6, 5)
    groups = int(_argument(args, kwargs, groups_at, "groups", 1))
    layer = LayerSpec(
        kind="conv",
        shape=tuple(weight.shape),
        groups=groups,
        stride=_per_axis(_argument(args, kwargs, 3, "stride", 1), dims),
        dilation=_per_axis(_argument(args, kwargs, dilation_at, "dilation", 1), dims),
        transposed=transposed,
    )
    rows = weight.detach()
    if transposed:
        first, second, *kernel = rows.shape
        rows = rows.reshape(groups, first // groups, second, *kernel).transpose(1, 2)
        rows = rows.reshape(groups * second, -1)
    return [
        LayerCall(
            weight=weight,
            bias=_argument(args, kwargs, 2, "bias", None),
            layer=layer,
            rows=rows.reshape(len(rows), -1),
            given=_argument(args, kwargs, 0, "input", None),
            unit_axis=-1 - dims,
            parts=groups,
        )
    ]


def _embedding(args: Sequence[Any], kwargs: dict[str, Any]) -> list[LayerCall]:
    tensors = [t for t in (*args[:2], *kwargs.values()) if isinstance(t, Tensor)]
    weight = next((t for t in tensors if t.is_floating_point() and t.dim() == 2), None)
    given = next((t for t in tensors if not t.is_floating_point()), None)
    if weight is None or given is None:
        return []
    layer = LayerSpec(kind="embedding", shape=tuple(weight.shape))
    return [
        LayerCall(
            weight=weight, bias=None, layer=layer, rows=weight.detach(), given=given
        )
    ]


def _product(
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    is_weight: IsWeight,
    bias: Tensor | None = None,
) -> list[LayerCall]:
    sides = [t for t in (*args, *kwargs.values()) if isinstance(t, Tensor)][:2]
    if len(sides) != 2:
        return []
    left, right = reversed(sides) if name == "rmatmul" else sides
    on_left = is_weight(left)
    if on_left == is_weight(right):
        return []
    weight, given = (left, right) if on_left else (right, left)
    if weight.dim() < 2:
        return []
    rows = weight.detach() if on_left else weight.detach().transpose(-1, -2)
    out, into = rows.shape[-2:]
    return [
        LayerCall(
            weight=weight,
            bias=bias if isinstance(bias, Tensor) and is_weight(bias) else None,
            layer=LayerSpec(shape=(out, into)),
            rows=rows.reshape(-1, into),
            given=given,
            unit_axis=-2 if on_left and given.dim() > 1 else -1,
            stored_transposed=not on_left,
            parts=_parts(weight, given, [(a, a) for a in range(-weight.dim(), -2)]),
        )
    ]


def _parts(weight: Tensor, given: Tensor, axes: Sequence[tuple[int, int]]) -> int:
    """Return how many matrices of a stack have an input of their own.

    One that is expanded is the same for all.

    Args:
        weight: The stack.
        given: What it was applied to.
        axes: Of the weight that count matrices, each with that of the input.
    """
    own = (
        -there <= given.dim()
        and given.shape[there] == weight.shape[here]
        and given.stride(there) > 0
        for here, there in axes
    )
    return math.prod(weight.shape[here] for here, _ in axes) if all(own) else 1


def _einsum(args: Sequence[Any], is_weight: IsWeight) -> list[LayerCall]:
    if not args or not isinstance(args[0], str):
        return []
    operands = [t for t in _flat(args[1:]) if isinstance(t, Tensor)]
    terms, _, result = args[0].replace(" ", "").partition("->")
    names = terms.split(",")
    weights = [i for i, t in enumerate(operands) if is_weight(t)]
    if len(weights) != 1 or not result or "." in names[weights[0]]:
        return []
    (at,) = weights
    own, weight = names[at], operands[at]
    signals = [i for i in range(len(operands)) if i != at]
    other = "".join(names[i] for i in signals)
    out = [c for c in own if c in result and c not in other]
    into = [c for c in own if c in other and c not in result]
    batch = [c for c in own if c in other and c in result]
    given = next((i for i in signals if {*into} <= {*names[i]}), None)
    if not out or not into or given is None:
        return []
    if len(batch) + len(out) + len(into) != len(own):
        return []
    sizes = dict(zip(own, weight.shape, strict=True))
    rows = weight.detach().permute(*(own.index(c) for c in (*batch, *out, *into)))
    fan_in = math.prod(sizes[c] for c in into)
    # What another operand brings along, or an ellipsis hides, is nobody's own input.
    places = [(own.index(c), names[given].find(c)) for c in batch]
    places = [] if "." in names[given] or any(b < 0 for _, b in places) else places
    layer = LayerSpec(shape=(math.prod(sizes[c] for c in out), fan_in))
    return [
        LayerCall(
            weight=weight,
            bias=None,
            layer=layer,
            rows=rows.reshape(-1, fan_in),
            given=operands[given],
            parts=_parts(weight, operands[given], places),
        )
    ]


def _per_axis(value: Any, dims: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * dims
    values = tuple(int(v) for v in value)
    return values * dims if len(values) == 1 else values


def _flat(values: Any) -> list[Any]:
    if isinstance(values, list | tuple):
        return [leaf for value in values for leaf in _flat(value)]
    return [values]
