"""Calls of functions as layers: their weights with their true geometry."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from initlab.capture._contractions import contracted_layer, own_parts
from initlab.capture._layer_call import IsWeight, LayerCall, argument
from initlab.spec import LayerSpec

# Where functions take the row of a table that is padding.
_PADDING, _PADDING_OF_BAGS = 2, 10


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
    if name == "conv_tbc":
        return _convolution_of_time(args, kwargs, is_weight)
    if name.startswith("conv"):
        return _convolution(name, args, kwargs, is_weight)
    if name in ("embedding", "embedding_bag"):
        return _embedding(name, args, kwargs)
    if name in ("matmul", "rmatmul", "mm", "bmm", "mv"):
        return _product(name, args, kwargs, is_weight)
    if name in ("addmm", "addmv", "baddbmm"):
        bias, factors = argument(args, kwargs, 0, "input", None), {**kwargs}
        factors.pop("input", None)
        return _product("mm", args[1:], factors, is_weight, bias=bias)
    return contracted_layer(name, args, kwargs, is_weight)


def _linear(
    args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    given = argument(args, kwargs, 0, "input", None)
    weight = argument(args, kwargs, 1, "weight", None)
    if weight is None or weight.dim() != 2 or not is_weight(weight):
        return []
    return [
        LayerCall(
            weight=weight,
            bias=argument(args, kwargs, 2, "bias", None),
            layer=LayerSpec(shape=tuple(weight.shape)),
            rows=weight.detach(),
            given=given,
            stored_transposed=_is_turned(weight),
        )
    ]


def _convolution(
    name: str, args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    weight = argument(args, kwargs, 1, "weight", None)
    if weight is None or not is_weight(weight) or not 3 <= weight.dim() <= 5:
        return []
    transposed = "transpose" in name
    dims = weight.dim() - 2
    groups_at, dilation_at = (6, 7) if transposed else (6, 5)
    groups = int(argument(args, kwargs, groups_at, "groups", 1))
    layer = LayerSpec(
        kind="conv",
        shape=tuple(weight.shape),
        groups=groups,
        stride=_per_axis(argument(args, kwargs, 3, "stride", 1), dims),
        dilation=_per_axis(argument(args, kwargs, dilation_at, "dilation", 1), dims),
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
            bias=argument(args, kwargs, 2, "bias", None),
            layer=layer,
            rows=rows.reshape(len(rows), -1),
            given=argument(args, kwargs, 0, "input", None),
            unit_axis=-1 - dims,
            parts=groups,
        )
    ]


def _convolution_of_time(
    args: Sequence[Any], kwargs: dict[str, Any], is_weight: IsWeight
) -> list[LayerCall]:
    """Return the layer of a convolution of `(time, example, channel)`.

    Its weight is stored as `(tap, in, out)`.
    """
    weight = argument(args, kwargs, 1, "weight", None)
    if not is_weight(weight):
        return []
    rows = weight.detach().permute(2, 1, 0)
    return [
        LayerCall(
            weight=weight,
            bias=argument(args, kwargs, 2, "bias", None),
            layer=LayerSpec(kind="conv", shape=tuple(rows.shape)),
            rows=rows.reshape(len(rows), -1),
            given=argument(args, kwargs, 0, "input", None),
            stored_transposed=True,
        )
    ]


def _embedding(
    name: str, args: Sequence[Any], kwargs: dict[str, Any]
) -> list[LayerCall]:
    tensors = [t for t in (*args[:2], *kwargs.values()) if isinstance(t, Tensor)]
    weight = next((t for t in tensors if t.is_floating_point() and t.dim() == 2), None)
    given = next((t for t in tensors if not t.is_floating_point()), None)
    if weight is None or given is None:
        return []
    layer = LayerSpec(kind="embedding", shape=tuple(weight.shape))
    place = _PADDING_OF_BAGS if name == "embedding_bag" else _PADDING
    padding = argument(args, kwargs, place, "padding_idx", None)
    rows = _without_padding(weight.detach(), padding)
    return [LayerCall(weight=weight, bias=None, layer=layer, rows=rows, given=given)]


def _without_padding(rows: Tensor, padding: int | None) -> Tensor:
    """Return the rows on the longer side of a padding row of zeros; no copy."""
    if padding is None or len(rows) < 2 or bool(rows[padding].any()):
        return rows
    place = padding % len(rows)
    return rows[place + 1 :] if 2 * place < len(rows) else rows[:place]


def _product(
    name: str,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    is_weight: IsWeight,
    bias: Tensor | None = None,
) -> list[LayerCall]:
    sides = [t for t in (*args, *kwargs.values()) if isinstance(t, Tensor)][:2]
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
            stored_transposed=on_left == _is_turned(weight),
            parts=own_parts(weight, given, [(a, a) for a in range(-weight.dim(), -2)]),
        )
    ]


def _is_turned(matrix: Tensor) -> bool:
    """Whether a matrix is stored the other way round, as `x @ weight.T` has it."""
    return matrix.stride(-2) < matrix.stride(-1) and min(matrix.shape[-2:]) > 1


def _per_axis(value: Any, dims: int) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * dims
    values = tuple(int(v) for v in value)
    return values * dims if len(values) == 1 else values
