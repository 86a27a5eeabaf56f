"""How flat an activation is where the signal meets it."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from initlab.spec import RECTIFIERS

# Entries whose slopes are computed, where a comparison with 0 does not tell.
_SAMPLED = 1 << 16
# The same shares of the steepest slope as in the engine's summaries.
_SATURATED, _INACTIVE = 0.05, 1e-3
# A slope is steep beside 1, the most that most activations have.
_STEEPEST = {"sigmoid": 0.25, "hardsigmoid": 1 / 6, "erf": 2 / math.sqrt(math.pi)}


def flatness(
    name: str,
    apply: Callable[[Tensor], Any],
    z: Tensor,
    unit_axis: int,
) -> tuple[float, float, int]:
    """Return the share of saturated entries, inactive units, and the units in all.

    Args:
        name: Of the activation.
        apply: The activation, for slopes that have no closed form.
        z: What it is applied to.
        unit_axis: That holds the units.

    Example:
        >>> z = torch.tensor([[-1.0, 2.0], [-2.0, -1.0]])
        >>> flatness("relu", torch.relu, z, -1)
        (0.75, 1, 2)
    """
    z = z.detach()
    units = z.shape[unit_axis]
    if z.numel() == 0:
        return math.nan, 0, units
    others = [d for d in range(z.dim()) if d != unit_axis % z.dim()]
    if name in RECTIFIERS:
        most = z.amax(dim=others) if others else z
        off = int((most <= 0).sum())
        on = torch.count_nonzero(z > 0)
        return 1.0 - int(on) / z.numel(), off, units
    rows = z.movedim(unit_axis, -1).reshape(-1, units)
    keep = max(1, _SAMPLED // max(1, units))
    stride = max(1, len(rows) // keep)
    sample = rows[:: stride + (stride % 2 == 0)].float().clone()
    # What is saved here is not the model's, whose saved tensors a checkpoint counts.
    unseen = saved_tensors_hooks(lambda saved: saved, lambda saved: saved)
    with torch.enable_grad(), unseen:
        sample.requires_grad_(True)
        try:
            out = apply(sample)
            (slope,) = torch.autograd.grad(out.sum(), sample)
        except (
            Exception
        ):  # a user's function may not take such rows: it is not measured
            return math.nan, 0, units
    sizes = slope.abs() / _STEEPEST.get(name, 1.0)
    saturated = float((sizes < _SATURATED).float().mean())
    inactive = int((sizes.amax(dim=0) < _INACTIVE).sum())
    return saturated, inactive, units
