"""The same model in another guise: the verdict should stay what it is."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from check.subject import Batch, Subject

Guise = Callable[[Subject, nn.Module], tuple[nn.Module, Batch] | None]


def _another_batch(subject: Subject, model: nn.Module):
    return model, subject.batch(17, subject.size)


def _larger_batch(subject: Subject, model: nn.Module):
    return model, subject.batch(0, 2 * subject.size)


def _smaller_batch(subject: Subject, model: nn.Module):
    return model, subject.batch(0, subject.size // 2)


def _typed(dtype: torch.dtype) -> Guise:
    def guise(subject: Subject, model: nn.Module):
        if next(model.parameters()).dtype != torch.float32:
            return None
        return model.to(dtype), converted(subject.batch(0, subject.size), dtype)

    return guise


def converted(batch: Batch, dtype: torch.dtype) -> Batch:
    """The batch with its real numbers in another type."""

    def cast(value: Any) -> Any:
        real = isinstance(value, Tensor) and value.is_floating_point()
        return value.to(dtype) if real else value

    return Batch(inputs=tuple(map(cast, batch.inputs)), targets=cast(batch.targets))


def _in_place(subject: Subject, model: nn.Module):
    found = [one for one in model.modules() if hasattr(one, "inplace")]
    for one in found:
        one.inplace = not one.inplace
    return (model, subject.batch(0, subject.size)) if found else None


def _channels_last(subject: Subject, model: nn.Module):
    if not subject.images:
        return None
    batch = subject.batch(0, subject.size)
    last = torch.channels_last
    inputs = [
        one.to(memory_format=last) if one.dim() == 4 else one for one in batch.inputs
    ]
    return model.to(memory_format=last), replace(batch, inputs=tuple(inputs))


VARIANTS: Mapping[str, Guise] = MappingProxyType(
    {
        "another batch": _another_batch,
        "twice the batch": _larger_batch,
        "half the batch": _smaller_batch,
        "float64": _typed(torch.float64),
        "bfloat16": _typed(torch.bfloat16),
        "in place or not": _in_place,
        "channels last": _channels_last,
    }
)
