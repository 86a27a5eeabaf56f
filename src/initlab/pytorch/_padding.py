"""Rows of tables that are padding, which stay 0 whatever is drawn."""

import torch
from torch import nn


def padding_rows(model: nn.Module, tensor: torch.Tensor) -> list[int]:
    """The rows of a tensor that are padding of an embedding that it is the table of.

    Also where it is a head's weight, too.

    Example:
        >>> model = nn.Sequential(nn.Embedding(5, 2, padding_idx=1), nn.Linear(2, 5))
        >>> model[1].weight = model[0].weight
        >>> padding_rows(model, model[1].weight)
        [1]
    """
    return [
        module.padding_idx
        for module in model.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag)
        and module.weight is tensor
        and module.padding_idx is not None
    ]
