"""Normalizations: which modules are, and how they start."""

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


def reset_normalizations(model: nn.Module, device: torch.device) -> list[str]:
    """Take normalizations out of the meta device, at 1 and 0; return their paths.

    Example:
        >>> with torch.device("meta"):
        ...     norm = nn.BatchNorm1d(2)
        >>> reset_normalizations(norm, torch.device("cpu"))
        ['']
        >>> norm.weight.tolist(), norm.running_var.tolist()
        ([1.0, 1.0], [1.0, 1.0])
    """
    reset = []
    for path, module in model.named_modules():
        on_meta = any(
            one.device.type == "meta"
            for one in (*module.parameters(False), *module.buffers(False))
        )
        if on_meta and isinstance(module, _KINDS):
            module.to_empty(device=device, recurse=False)
            module.reset_parameters()
            reset.append(path)
    return reset
