"""ReLUs by other names: a model may cut off what is below 0 in several ways."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from initlab.capture._layer_call import argument

_CUTS = frozenset({"clamp", "clip", "clamp_min"})
# What may be a ReLU, so that nothing else is asked.
_NAMES = _CUTS | {"hardtanh", "maximum", "max", "where"}
# The places and names of arguments.
_OF_MAXIMUM = ((0, "input"), (1, "other"))
_OF_WHERE = ((1, "input"), (2, "other"))


def rectified(
    name: str, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[str, Tensor] | None:
    """Return the rectifier that a call is, and what it is applied to; None if none.

    Example:
        >>> x = torch.ones(2)
        >>> rectified("clamp", (x, 0), {})[0], rectified("hardtanh", (x, 0, 6), {})[0]
        ('relu', 'relu6')
        >>> rectified("clamp", (x, -1), {}) is None
        True
    """
    if name not in _NAMES:
        return None
    if name in _CUTS or name == "hardtanh":
        return _cut_off(name, args, kwargs)
    if name == "where":
        return _chosen(args, kwargs)
    first, second = (argument(args, kwargs, n, key, None) for n, key in _OF_MAXIMUM)
    for x, other in ((first, second), (second, first)):
        if isinstance(x, Tensor) and _is_zero(other):
            return "relu", x
    return None


def _cut_off(
    name: str, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[str, Tensor] | None:
    low_name, high_name = ("min_val", "max_val") if name == "hardtanh" else (
        "min", "max"
    )  # fmt: skip
    low = argument(args, kwargs, 1, low_name, None)
    high = argument(args, kwargs, 2, high_name, None)
    x = argument(args, kwargs, 0, "input", None)
    if not (isinstance(x, Tensor) and isinstance(low, float | int) and low == 0):
        return None
    return ("relu" if high is None and name != "hardtanh" else "relu6"), x


def _chosen(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[str, Tensor] | None:
    """Return what is chosen where it is above 0, with 0 elsewhere."""
    asked = argument(args, kwargs, 0, "condition", None)
    x, other = (argument(args, kwargs, n, key, None) for n, key in _OF_WHERE)
    if not (isinstance(x, Tensor) and isinstance(asked, Tensor) and _is_zero(other)):
        return None
    if asked.shape != x.shape or x.is_complex():
        return None
    positive = x.detach() > 0
    # Where it is 0, either is chosen.
    same = torch.equal(asked, positive) or torch.equal(asked, x.detach() >= 0)
    return ("relu", x) if same else None


def _is_zero(value: Any) -> bool:
    if isinstance(value, Tensor):
        plain = not value.requires_grad and value.numel() > 0
        return plain and not bool(value.detach().any())
    return isinstance(value, float | int) and not isinstance(value, bool) and value == 0
