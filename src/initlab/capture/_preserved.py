"""A model and all random states, put back as they were whatever happens inside."""

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from initlab.capture._held import kept_contents

# Random states and torch's checkpoints belong to all threads: one at a time has them.
ALONE = threading.RLock()


@contextmanager
def kept_random_states(model: nn.Module) -> Iterator[None]:
    """Restore the random states of Python, NumPy and torch at the end."""
    states = _random_states(model)
    try:
        yield
    finally:
        _restore_random(states)


@contextmanager
def preserved(model: nn.Module) -> Iterator[Mapping[int, torch.Tensor]]:
    """Restore everything bit for bit at the end, also after an exception or Ctrl-C.

    Parameters, buffers, gradients, hooks, modes and attributes of every module, and
    the random states of Python, NumPy and torch on every device in use; also what is
    changed in place in lists, dicts, sets, tensors, arrays and random generators that
    modules hold. One copy of the parameters and buffers is kept, and given to the
    caller by the tensors' `id`.

    Args:
        model: Whose modules may be changed inside.

    Example:
        >>> layer = nn.Linear(2, 2)
        >>> before = layer.weight.clone()
        >>> with preserved(layer):
        ...     _ = nn.init.zeros_(layer.weight)
        >>> bool((layer.weight == before).all())
        True
    """
    states = _random_states(model)
    attributes = [(m, dict(m.__dict__), _tables(m)) for m in model.modules()]
    known = {id(one) for one in (*model.modules(), *_tensors(model))}
    contents = kept_contents(
        [value for _, *kept in attributes for value in _held_by(*kept)], known
    )
    tensors = [
        (tensor, tensor.detach().clone(), tensor.grad, tensor.requires_grad)
        for tensor in _tensors(model)
    ]
    grad_enabled = torch.is_grad_enabled()
    try:
        yield {id(tensor): kept for tensor, kept, _, _ in tensors}
    finally:
        torch.set_grad_enabled(grad_enabled)
        for module, values, tables in attributes:
            module.__dict__.clear()
            module.__dict__.update(values)
            for name, table in tables.items():
                held = module.__dict__[name]
                held.clear()
                held.update(table)
        for restore in contents:
            restore()
        for tensor, kept, grad, requires_grad in tensors:
            with torch.no_grad():
                tensor.copy_(kept)
            tensor.grad = grad
            if tensor.is_leaf and tensor.requires_grad != requires_grad:
                tensor.requires_grad_(requires_grad)
        _restore_random(states)


def _tables(module: nn.Module) -> dict[str, Any]:
    """Return copies of a module's tables of parameters, buffers, modules and hooks."""
    return {
        name: type(value)(value)
        for name, value in module.__dict__.items()
        if isinstance(value, dict) and name.startswith("_")
    }


def _held_by(values: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a module holds; of its tables, which are kept, what these hold."""
    for name, value in values.items():
        if name in tables:
            yield from tables[name].values()
        else:
            yield value


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    every = [*model.parameters(), *model.buffers()]
    unique = {id(tensor): tensor for tensor in every}
    return [
        tensor
        for tensor in unique.values()
        if not is_lazy(tensor) and not tensor.is_meta and not _is_broadcast(tensor)
    ]


def _is_broadcast(tensor: torch.Tensor) -> bool:
    """Whether entries share memory, so that nothing can write to them."""
    if tensor.layout != torch.strided:
        return False
    return any(
        stride == 0 and size > 1
        for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
    )


def _random_states(model: nn.Module) -> dict[str, Any]:
    devices = {p.device for p in model.parameters()} | {
        b.device for b in model.buffers()
    }
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "cpu": torch.get_rng_state(),
    }
    for device in devices:
        if device.type == "cuda":
            states[str(device)] = torch.cuda.get_rng_state(device)
        elif device.type == "mps":
            states[str(device)] = torch.mps.get_rng_state()
    return states


def _restore_random(states: dict[str, Any]) -> None:
    for name, state in states.items():
        if name == "python":
            random.setstate(state)
        elif name == "numpy":
            np.random.set_state(state)
        elif name == "cpu":
            torch.set_rng_state(state)
        elif name.startswith("cuda"):
            torch.cuda.set_rng_state(state, name)
        else:
            torch.mps.set_rng_state(state)
