"""A weight at work, and how functions' arguments are looked up."""

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
        beside: Other signals, whose products with it are what was weighed.
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
    beside: tuple[Tensor, ...] = ()
    unit_axis: int = -1
    stored_transposed: bool = False
    role: str = ""
    parts: int = 1


def argument(
    args: Sequence[Any], kwargs: dict[str, Any], place: int, name: str, default: Any
) -> Any:
    """Return the argument of a call at a place or by a name."""
    return args[place] if len(args) > place else kwargs.get(name, default)
