"""Weights that are computed of other parameters whenever they are used.

By `torch.nn.utils.parametrize`, or by the hooks that were PyTorch's way before it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

Hook = WeightNorm | SpectralNorm

# Of power iteration, from random vectors: as many as PyTorch takes.
_ITERATIONS = 15


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Keep parametrizations as they are while weights are looked at.

    In training, a spectral norm takes a step of its power iteration each time.

    Example:
        >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
        >>> with at_rest(layer):
        ...     torch.equal(layer.weight, layer.weight)
        True
    """
    moving = [
        step
        for each in model.modules()
        if isinstance(each, parametrize.ParametrizationList)
        for step in each.modules()
        if step.training
    ]
    for step in moving:
        step.training = False
    try:
        yield
    finally:
        for step in moving:
            step.training = True


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
    elif tensor not in module._parameters and f"{tensor}_orig" in module._parameters:
        found = getattr(module, f"{tensor}_orig")  # under torch.nn.utils.prune's mask
    else:
        found = getattr(module, tensor)
    assert isinstance(found, torch.Tensor)
    return found


def weight_of_directions(model: nn.Module, name: str) -> tuple[str, str, str] | None:
    """What a weight norm makes of a parameter of directions; None of another one.

    Returns:
        The module's path, its weight's name there, and the name of the lengths.

    Example:
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
        >>> weight_of_directions(layer, "parametrizations.weight.original1")
        ('', 'weight', 'parametrizations.weight.original0')
    """
    path, _, own = name.rpartition(".")
    steps: Any = model.get_submodule(path)
    if own == "original1" and type(steps[0]).__name__ == "_WeightNorm":
        outer, _, tensor = path.rpartition(".")
        outer = outer.removesuffix("parametrizations").rstrip(".")
        return outer, tensor, f"{path}.original0"
    hook = hook_of(steps, own.removesuffix("_v"))
    if isinstance(hook, WeightNorm) and own.endswith("_v"):
        return path, hook.name, f"{name.removesuffix('_v')}_g"
    return None


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


def write_computed(
    module: nn.Module, tensor: str, wanted: torch.Tensor, *, seed: int
) -> bool:
    """Write the parameters of which a tensor becomes another one, where it can.

    Args:
        module: That has it.
        tensor: Its name there.
        wanted: What it should become.
        seed: Of what a parametrization draws beside it, as the vectors in which a
            spectral norm starts; torch's own random state is not touched.

    Returns:
        Whether it does, but for rounding.

    Example:
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
        >>> write_computed(layer, "weight", torch.tensor([[3.0, 4.0]]), seed=0)
        True
        >>> layer.weight.tolist()
        [[3.0, 4.0]]
    """
    devices = [wanted.device] if wanted.device.type == "cuda" else []
    with at_rest(module), torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        hook = hook_of(module, tensor)
        if hook is None:
            setattr(module, tensor, wanted)
            _restart(module.parametrizations[tensor])  # type: ignore[index, arg-type]
        elif isinstance(hook, WeightNorm):
            getattr(module, f"{tensor}_v").copy_(wanted)
            length = getattr(module, f"{tensor}_g")
            length.copy_(torch.norm_except_dim(wanted, 2, hook.dim))
            setattr(module, tensor, hook.compute_weight(module))
        else:
            getattr(module, f"{tensor}_orig").copy_(wanted)
            for vector in (f"{tensor}_u", f"{tensor}_v"):
                _draw_direction(getattr(module, vector))
            for _ in range(_ITERATIONS):
                given = hook.compute_weight(module, do_power_iteration=True)
            setattr(module, tensor, given)
        given = getattr(module, tensor)
    return bool(torch.allclose(given, wanted, rtol=1e-2, atol=1e-6))


def _restart(steps: parametrize.ParametrizationList) -> None:
    """Start the power iterations of spectral norms anew, for the weights they have."""
    if not hasattr(steps, "original"):
        return
    value: Any = steps.original
    for step in steps:
        if hasattr(step, "_power_method") and value.dim() > 1:
            for vector in (step._u, step._v):
                _draw_direction(vector)  # type: ignore[arg-type]
            step._power_method(step._reshape_weight_to_matrix(value), _ITERATIONS)  # type: ignore[operator]
        value = step(value)


def _draw_direction(vector: torch.Tensor) -> None:
    drawn = torch.randn(vector.shape, dtype=torch.float64)
    vector.copy_(functional.normalize(drawn, dim=0))


def real_buffers(module: nn.Module, tensor: str, device: torch.device) -> None:
    """Take what a parametrization holds beside its parameters out of the meta device.

    Example:
        >>> with torch.device("meta"):
        ...     layer = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
        >>> real_buffers(layer, "weight", torch.device("cpu"))
        >>> {buffer.device.type for buffer in layer.buffers()}
        {'cpu'}
    """
    owners = [module]
    if parametrize.is_parametrized(module, tensor):
        held: Any = module.parametrizations[tensor]  # type: ignore[index]
        owners = list(held.modules())
    for owner in owners:
        for name, buffer in owner._buffers.items():
            if buffer is not None and buffer.device.type == "meta":
                owner._buffers[name] = torch.empty_like(buffer, device=device)
