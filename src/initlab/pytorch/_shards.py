"""What this rank holds of a parameter that is spread over several."""

from typing import Any

import torch

from initlab.pytorch._draws import Index


def local_part(tensor: Any) -> Index | None:
    """The slices of a sharded tensor that this rank holds; None for an ordinary one.

    Example:
        >>> local_part(torch.zeros(2, 3)) is None
        True
    """
    if not hasattr(tensor, "placements"):
        return None
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    sizes, offsets = compute_local_shape_and_global_offset(
        tensor.shape, tensor.device_mesh, tensor.placements
    )
    return [
        slice(offset, offset + size)
        for offset, size in zip(offsets, sizes, strict=True)
    ]


def held(tensor: torch.Tensor) -> torch.Tensor:
    """The part of a tensor that this rank holds; an ordinary tensor as it is.

    Example:
        >>> tensor = torch.zeros(2)
        >>> held(tensor) is tensor
        True
    """
    if hasattr(tensor, "to_local"):
        local = tensor.to_local()
        assert isinstance(local, torch.Tensor)
        return local
    return tensor
