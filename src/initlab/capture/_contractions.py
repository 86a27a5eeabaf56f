"""Sums of products by their axes, as layers: einsum and what can be written as one."""

import math
from collections.abc import Sequence
from string import ascii_letters
from typing import Any

from torch import Tensor

from initlab.capture._layer_call import IsWeight, LayerCall, argument
from initlab.spec import LayerSpec

# A tensor, and a letter for each of its axes.
Operand = tuple[Tensor, str]


def contracted_layer(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    """Return the layer that a sum of products is, if one of its factors is a weight.

    Args:
        name: Of the function: einsum, tensordot, inner, addbmm or bilinear.
        args: Of the call.
        kwargs: Of the call.
        is_weight: Whether a tensor is made of parameters alone.
    """
    if name == "einsum":
        operands, result = _einsum(args)
    elif name == "tensordot":
        operands, result = _tensordot(args, kwargs)
    elif name == "inner":
        operands, result = _inner(args, kwargs)
    elif name == "addbmm":
        both = args[1:] or (kwargs["batch1"], kwargs["batch2"])
        operands, result = [(both[0], "zbi"), (both[1], "zio")], "bo"
    else:
        operands, result = _bilinear(args, kwargs)
    bias = None
    if name == "bilinear":
        bias = argument(args, kwargs, 3, "bias", None)
    elif name == "addbmm":
        bias = argument(args, kwargs, 0, "input", None)
    bias = bias if isinstance(bias, Tensor) and is_weight(bias) else None
    return _layer(operands, result, is_weight, bias)


def _einsum(args: Sequence[Any]) -> tuple[list[Operand], str]:
    """Return what an equation says; without an arrow, as torch completes it."""
    tensors = [t for t in _flat(args[1:]) if isinstance(t, Tensor)]
    terms, arrow, result = args[0].replace(" ", "").partition("->")
    names = terms.split(",")
    if not arrow:
        once = [c for c in sorted({*terms} & {*ascii_letters}) if terms.count(c) == 1]
        result = "..." * ("..." in terms) + "".join(once)
    return list(zip(tensors, names, strict=True)), result


def _tensordot(
    args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[list[Operand], str]:
    left, right = (argument(args, kwargs, n, name, None) for n, name in enumerate("ab"))
    dims = argument(args, kwargs, 2, "dims", 2)
    dims = dims.tolist() if isinstance(dims, Tensor) else dims
    first = left.dim()
    if isinstance(dims, int):
        pairs = [(first - dims + n, n) for n in range(dims)]
    else:
        of_left, of_right = ([d] if isinstance(d, int) else list(d) for d in dims)
        pairs = list(zip(of_left, of_right, strict=True))
    own = list(ascii_letters[:first])
    other = list(ascii_letters[first : first + right.dim()])
    for one, two in pairs:
        other[two] = own[one]
    return _with_outer_axes(left, "".join(own), right, "".join(other))


def _inner(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[list[Operand], str]:
    left = argument(args, kwargs, 0, "input", None)
    right = argument(args, kwargs, 1, "other", None)
    first, second = left.dim(), right.dim()
    if not first or not second:
        return [], ""
    own, other = ascii_letters[:first], ascii_letters[first : first + second - 1]
    return _with_outer_axes(left, own, right, other + own[-1])


def _with_outer_axes(
    left: Tensor, own: str, right: Tensor, other: str
) -> tuple[list[Operand], str]:
    """Return two operands, and the axes that they do not share."""
    outer = [c for c in own if c not in other] + [c for c in other if c not in own]
    return [(left, own), (right, other)], "".join(outer)


def _bilinear(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[list[Operand], str]:
    first = argument(args, kwargs, 0, "input1", None)
    second = argument(args, kwargs, 1, "input2", None)
    weight = argument(args, kwargs, 2, "weight", None)
    axes = ascii_letters[26 : 26 + first.dim() - 1]
    return [(first, axes + "i"), (second, axes + "j"), (weight, "oij")], axes + "o"


def _layer(
    operands: Sequence[Operand], result: str, is_weight: IsWeight, bias: Tensor | None
) -> list[LayerCall]:
    weights = [at for at, (tensor, _) in enumerate(operands) if is_weight(tensor)]
    if len(weights) != 1 or not result:
        return []
    weight, own = operands[weights[0]]
    signals = [one for at, one in enumerate(operands) if at != weights[0]]
    other = "".join(names for _, names in signals)
    if "." in own or len({*own}) < len(own):
        return []
    out = [c for c in own if c in result and c not in other]
    into = [c for c in own if c in other and c not in result]
    batch = [c for c in own if c in other and c in result]
    if not out or not into or len(batch) + len(out) + len(into) != len(own):
        return []
    (given, names), *others = _weighed(signals, into)
    sizes = dict(zip(own, weight.shape, strict=True))
    order = [own.index(c) for c in (*batch, *out, *into)]
    rows = weight.detach().permute(*order)
    fan_in = math.prod(sizes[c] for c in into)
    # What another operand brings along, or an ellipsis hides, is nobody's own input.
    places = [(own.index(c), names.find(c)) for c in batch]
    places = [] if "." in names or any(b < 0 for _, b in places) else places
    last = result[-1] in out
    return [
        LayerCall(
            weight=weight,
            bias=bias,
            layer=LayerSpec(shape=(math.prod(sizes[c] for c in out), fan_in)),
            rows=rows.reshape(-1, fan_in),
            given=given,
            beside=tuple(tensor for tensor, _ in others),
            unit_axis=-1 if last or "." in result else result.index(out[0])-len(result),
            stored_transposed=len(own) == 2 and order == [1, 0],
            parts=own_parts(weight, given, places),
        )
    ]  # fmt: skip


def _weighed(signals: Sequence[Operand], into: Sequence[str]) -> list[Operand]:
    """Return the signal that a weight is applied to; several that are multiplied."""
    for one in signals:
        if {*into} <= {*one[1]}:
            return [one]
    return [one for one in signals if {*into} & {*one[1]}]


def own_parts(weight: Tensor, given: Tensor, axes: Sequence[tuple[int, int]]) -> int:
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


def _flat(values: Any) -> list[Any]:
    if isinstance(values, list | tuple):
        return [leaf for value in values for leaf in _flat(value)]
    return [values]
