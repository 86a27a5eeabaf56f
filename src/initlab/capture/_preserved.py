"""A model and all random states, put back as they were whatever happens inside."""

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from initlab.capture._held import kept_contents, package_of
from initlab.capture._restoring import restoring

# Random states and torch's checkpoints belong to all threads: one at a time has them.
ALONE = threading.RLock()


@contextmanager
def kept_random_states(model: nn.Module) -> Iterator[None]:
    """Restore the random states of Python, NumPy and torch at the end."""
    states = _random_states(_all_tensors(model))
    with restoring(lambda: _restore_random(states)):
        yield


@contextmanager
def preserved(model: nn.Module) -> Iterator[Mapping[int, torch.Tensor]]:
    """Restore everything bit for bit at the end, also after an exception or Ctrl-C.

    Parameters, buffers, gradients, hooks, modes and attributes of every module, and
    the random states of Python, NumPy and torch on every device in use; also what is
    changed in place in lists, dicts, sets, tensors, arrays and random generators that
    modules hold, or objects of the model's own package that they hold, as caches. There
    are no gradients inside. One copy of the parameters and buffers is kept, and given
    to the caller by the tensors' `id`.

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
    every = _all_tensors(model)
    states = _random_states(every)
    tensors = [_Kept.of(one) for one in every if not is_lazy(one) and not one.is_meta]
    attributes = [(m, dict(m.__dict__), _tables(m)) for m in model.modules()]
    known = {id(one) for one in (*model.modules(), *every)}
    contents = kept_contents(
        [value for _, *kept in attributes for value in _held_by(*kept)],
        known,
        packages={package_of(type(module)) for module in model.modules()} - {"torch"},
    )
    with restoring(
        partial(torch.set_grad_enabled, torch.is_grad_enabled()),
        *(partial(_restore_attributes, *kept) for kept in attributes),
        *contents,
        *(tensor.restore for tensor in tensors),
        partial(_restore_random, states),
    ):
        for tensor in tensors:  # what runs may clear gradients in place
            tensor.tensor.grad = None
        yield {id(one.tensor): one.copy for one in tensors}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A tensor as it is.

    Attributes:
        tensor: The tensor.
        data: What it refers to now, of the shape and type that it has.
        copy: Of its entries; the tensor itself where nothing can write to them.
        grad: Its gradient, which nothing writes to meanwhile.
        requires_grad: Whether it asks for one.
    """

    tensor: torch.Tensor
    data: torch.Tensor
    copy: torch.Tensor
    grad: torch.Tensor | None
    requires_grad: bool

    @classmethod
    def of(cls, tensor: torch.Tensor) -> "_Kept":
        data = tensor.detach()
        copy = data if _is_broadcast(tensor) else data.clone()
        return cls(tensor, data, copy, tensor.grad, tensor.requires_grad)

    def restore(self) -> None:
        now = self.tensor
        if _memory(now) != _memory(self.data):
            now.data = self.data
        if self.copy is not self.data:
            with torch.no_grad():
                now.copy_(self.copy)
        now.grad = self.grad
        if now.is_leaf and now.requires_grad != self.requires_grad:
            now.requires_grad_(self.requires_grad)


def _memory(tensor: torch.Tensor) -> tuple[object, ...]:
    """Return what tells whether two tensors are the same piece of memory."""
    about = (tensor.shape, tensor.dtype, tensor.device)
    strided = tensor.layout == torch.strided
    return (*about, tensor.stride(), tensor.data_ptr()) if strided else about


def _restore_attributes(
    module: nn.Module, values: Mapping[str, Any], tables: Mapping[str, Any]
) -> None:
    held = module.__dict__
    held |= values
    for name in held.keys() - values.keys():
        del held[name]
    for name, table in tables.items():
        held[name].clear()
        held[name].update(table)


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


def _all_tensors(model: nn.Module) -> list[torch.Tensor]:
    """Return parameters and buffers, each once."""
    every = [*model.parameters(), *model.buffers()]
    return list({id(tensor): tensor for tensor in every}.values())


def _is_broadcast(tensor: torch.Tensor) -> bool:
    """Whether entries share memory, so that nothing can write to them."""
    if tensor.layout != torch.strided:
        return False
    return any(
        stride == 0 and size > 1
        for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
    )


def _random_states(tensors: list[torch.Tensor]) -> dict[str, Any]:
    """Return the states of Python, NumPy, and torch where these tensors are."""
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "cpu": torch.get_rng_state(),
    }
    for device in {tensor.device for tensor in tensors}:
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
