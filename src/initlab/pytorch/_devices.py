"""Devices as they are given: one that can be used here, or one line."""

from typing import Any

import torch

from initlab.errors import InvalidValueError


def as_device(given: Any, argument: str = "device") -> torch.device:
    """Return a device that tensors can be made on.

    Args:
        given: A name, or a device.
        argument: The argument or option that named it.

    Raises:
        InvalidValueError: If it is none, or there is none of its kind here.

    Example:
        >>> as_device("cpu")
        device(type='cpu')
    """
    try:
        device = torch.device(given)
    except (RuntimeError, TypeError):
        raise InvalidValueError(
            f"a device of PyTorch's, as cpu, cuda, cuda:1 or mps, got {given!r}",
            argument=argument,
        ) from None
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, ImportError) as error:
        said = str(error).strip().splitlines()[0]
        # torch's dispatcher explains itself, at length, to who builds PyTorch.
        why = "there is none here" if said.startswith("Could not run") else said
        raise InvalidValueError(
            f"{str(given)!r} cannot be used: {why}; give cpu", argument=argument
        ) from error
    return device
