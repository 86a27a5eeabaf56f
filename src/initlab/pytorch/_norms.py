"""Normalizations: which modules are, and how they start."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

_KINDS = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.batchnorm._NormBase,
)


def is_normalization(module: nn.Module) -> bool:
    """Whether a module is one: PyTorch's own, or named so and holding vectors alone.

    Example:
        >>> is_normalization(nn.BatchNorm2d(3)), is_normalization(nn.Linear(3, 3))
        (True, False)
    """
    if isinstance(module, _KINDS):
        return True
    named = "norm" in type(module).__name__.lower()
    return named and all(one.dim() <= 1 for one in module.parameters())


def unset_normalizations(model: nn.Module, *, all_of_them: bool = False) -> list[str]:
    """The paths of PyTorch's normalizations that hold no numbers yet.

    Args:
        model: That has them.
        all_of_them: Whether none holds any, else those on the meta device.

    Example:
        >>> with torch.device("meta"):
        ...     norm = nn.BatchNorm1d(2)
        >>> unset_normalizations(nn.Sequential(norm, nn.LayerNorm(2)))
        ['0']
    """
    return [
        path
        for path, module in model.named_modules()
        if isinstance(module, _KINDS)
        and any(
            all_of_them or one.device.type == "meta"
            for one in (*module.parameters(False), *module.buffers(False))
        )
    ]


def reset_normalizations(
    model: nn.Module, paths: Iterable[str], device: torch.device
) -> None:
    """Start normalizations at 1 and 0, on a device if they are on the meta device.

    Example:
        >>> with torch.device("meta"):
        ...     norm = nn.BatchNorm1d(2)
        >>> reset_normalizations(norm, [""], torch.device("cpu"))
        >>> norm.weight.tolist(), norm.running_var.tolist()
        ([1.0, 1.0], [1.0, 1.0])
    """
    for path in paths:
        module: Any = model.get_submodule(path)
        tensors = (*module.parameters(False), *module.buffers(False))
        if any(one.device.type == "meta" for one in tensors):
            module.to_empty(device=device, recurse=False)
        module.reset_parameters()
