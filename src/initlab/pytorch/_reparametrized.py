"""Weights that are computed of other parameters whenever they are used.

By `torch.nn.utils.parametrize`, or by the hooks that were PyTorch's way before it.
"""

from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

Hook = WeightNorm | SpectralNorm


def hook_of(module: nn.Module, tensor: str) -> Hook | None:
    """The hook that computes a tensor of a module before each call; None without.

    Example:
        >>> hook_of(nn.Linear(2, 1), "weight") is None
        True
    """
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, Hook) and hook.name == tensor:
            return hook
    return None


def parameter_behind(module: nn.Module, tensor: str) -> torch.Tensor:
    """The parameter that stands for a tensor: itself, or one that it is computed of.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> parameter_behind(layer, "weight") is layer.weight
        True
    """
    hook = hook_of(module, tensor)
    if hook is not None:
        behind = f"{tensor}_v" if isinstance(hook, WeightNorm) else f"{tensor}_orig"
        found = getattr(module, behind)
    elif parametrize.is_parametrized(module, tensor):
        held: Any = module.parametrizations[tensor]  # type: ignore[index]
        found = held.original if hasattr(held, "original") else held.original0
    else:
        found = getattr(module, tensor)
    assert isinstance(found, torch.Tensor)
    return found


def computed_name(module: nn.Module, tensor: str) -> str:
    """The name of the tensor that a hook computes of this one; its own without.

    Example:
        >>> computed_name(nn.Linear(2, 1), "weight")
        'weight'
    """
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, Hook) and tensor in (
            f"{hook.name}_g", f"{hook.name}_v", f"{hook.name}_orig"
        ):  # fmt: skip
            return str(hook.name)
    return tensor


def unwritable(module: nn.Module, tensor: str) -> str:
    """Why no weight can be written that this tensor would become; "" where it can.

    Example:
        >>> unwritable(nn.Linear(2, 1), "weight")
        ''
    """
    if not parametrize.is_parametrized(module, tensor):
        return ""
    steps = module.parametrizations[tensor]  # type: ignore[index]
    odd = [type(one).__name__ for one in steps if not hasattr(one, "right_inverse")]
    return f"parametrized by {odd[0]}, which has no right_inverse" if odd else ""


def write_computed(module: nn.Module, tensor: str, wanted: torch.Tensor) -> bool:
    """Write the parameters of which a tensor becomes another one, where it can.

    Returns:
        Whether it does, but for rounding.

    Example:
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
        >>> write_computed(layer, "weight", torch.tensor([[3.0, 4.0]]))
        True
        >>> layer.weight.tolist()
        [[3.0, 4.0]]
    """
    hook = hook_of(module, tensor)
    if hook is None:
        setattr(module, tensor, wanted)
    elif isinstance(hook, WeightNorm):
        getattr(module, f"{tensor}_v").copy_(wanted)
        length = getattr(module, f"{tensor}_g")
        length.copy_(torch.norm_except_dim(wanted, 2, hook.dim))
        setattr(module, tensor, hook.compute_weight(module))
    else:
        getattr(module, f"{tensor}_orig").copy_(wanted)
        given = hook.compute_weight(module, do_power_iteration=False)
        setattr(module, tensor, given)
    given = getattr(module, tensor)
    return bool(torch.allclose(given, wanted, rtol=1e-2, atol=1e-6))
