"""What cannot be a batch, refused in one line before a model is blamed for it."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset

from initlab.errors import InvalidValueError

_ALLOWED = (
    "a tensor, a tuple of arguments, a dict of keyword arguments, or a DataLoader"
)


def refuse_unusable(batch: Any, tensors: Sequence[torch.Tensor]) -> None:
    """Refuse what no model takes as a batch; a user's own objects pass.

    Numbers and text are taken as arguments of a tuple or a dict.

    Args:
        batch: As given, or the first of a DataLoader.
        tensors: In it.

    Raises:
        InvalidValueError: If it is no batch, or there is nothing in it.
    """
    if batch is None:
        raise InvalidValueError(
            "tensors, or a DataLoader of them, got None", argument="batch"
        )
    if type(batch).__module__ == "numpy":
        raise InvalidValueError(
            f"tensors, got a numpy {type(batch).__name__}; give torch.as_tensor(batch)",
            argument="batch",
        )
    fix = _fix(batch)
    if fix is not None:
        raise InvalidValueError(
            f"{_ALLOWED}, got {type(batch).__name__}; give {fix}", argument="batch"
        )
    if isinstance(batch, list | tuple) and batch and all(map(_is_empty, batch)):
        raise InvalidValueError(
            f"tensors, got an empty {type(batch[0]).__name__} inside a "
            f"{type(batch).__name__}",
            argument="batch",
        )
    if any(one.is_meta for one in tensors):
        raise InvalidValueError(
            "tensors with values, got one on the meta device; give "
            "torch.randn_like(batch, device='cpu'), or examples",
            argument="batch",
        )
    if any(one.is_nested for one in tensors):
        raise InvalidValueError(
            "padded tensors; nested ones cannot be measured; give "
            "batch.to_padded_tensor(0.0)",
            argument="batch",
        )
    if tensors and not any(one.numel() for one in tensors):
        shape = tuple(tensors[0].shape)
        raise InvalidValueError(
            f"at least one example, got shape {shape}", argument="batch"
        )


def _fix(batch: Any) -> str | None:
    """Return what to give instead of what cannot be a batch; None if it may be one."""
    if isinstance(batch, Iterator):
        return "next(iter(batch))"
    if isinstance(batch, Dataset):
        return "torch.utils.data.DataLoader(batch, batch_size=32)"
    if isinstance(batch, int | float | complex | range):
        return "torch.as_tensor(...) of the examples"
    if isinstance(batch, set | frozenset):
        return "a tuple, which has an order"
    if isinstance(batch, str | bytes):
        return "its tokens, as in torch.as_tensor([[1, 2, 3]])"
    return None


def _is_empty(tree: Any) -> bool:
    return isinstance(tree, dict | list | tuple | set) and not tree
