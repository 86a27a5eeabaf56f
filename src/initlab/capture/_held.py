"""What objects hold besides modules' tensors, and may change in place: as it was.

Containers, plain tensors, arrays and random generators, and objects of a model's own
package, as a cache of keys. Datasets and all other objects are neither copied nor
looked into.
"""

import random
from collections import OrderedDict, deque
from collections.abc import Iterable, Set
from functools import partial
from types import MemberDescriptorType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader, Dataset

from initlab.capture._restoring import Restore

# What nothing changes in place, and long lists are made of.
_PLAIN = frozenset({int, float, str, bool, bytes, type(None)})


def kept_contents(
    roots: Iterable[Any], known: set[int], packages: Set[str] = frozenset()
) -> list[Restore]:
    """Return functions that restore what these objects hold, and what that holds.

    Args:
        roots: Dicts of attributes, most often.
        known: By `id`: tensors and modules that others restore.
        packages: Whose objects are looked into.

    Example:
        >>> held = {"seen": [1], "rng": random.Random(0)}
        >>> restores = kept_contents([held], set())
        >>> held["seen"].append(held["rng"].random())
        >>> for restore in restores:
        ...     restore()
        >>> held["seen"]
        [1]
    """
    # Objects are kept with their ids, which others would be given otherwise.
    met: dict[int, Any] = {}
    restores: list[Restore] = []
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if type(one) in _PLAIN or id(one) in met or id(one) in known:
            continue
        if isinstance(one, nn.Module):  # in a list: none of the model's modules
            met[id(one)] = one
            waiting.append(vars(one))
        elif isinstance(one, (tuple, list, deque, set, dict)):
            met[id(one)] = one
            waiting.extend(_entries(one))
            restores.extend(_of_container(one))
        elif (restore := _of_leaf(one)) is not None:
            met[id(one)] = one
            restores.append(restore)
        elif package_of(type(one)) in packages and not isinstance(one, type | Dataset):
            met[id(one)] = one
            waiting.append(getattr(one, "__dict__", None))
            slots = _slots(one)
            waiting.extend(slots.values())
            restores.extend(partial(_set, one, *each) for each in slots.items())
    return restores


def package_of(kind: type) -> str:
    """Return the name of the package, or of the file, that a class is from."""
    return kind.__module__.partition(".")[0]


def _slots(one: object) -> dict[str, Any]:
    """Return what an object holds by `__slots__`."""
    names = (
        name
        for kind in type(one).__mro__
        for name in kind.__dict__
        if isinstance(kind.__dict__[name], MemberDescriptorType)
    )
    return {name: getattr(one, name) for name in names if hasattr(one, name)}


def _set(one: object, name: str, value: Any) -> None:
    object.__setattr__(one, name, value)  # its class may be frozen


def kept_loader(loader: DataLoader[Any]) -> list[Restore]:
    """Return functions that restore a loader's random generators, and its samplers'."""
    batches = getattr(loader, "batch_sampler", None)
    every = (loader, loader.sampler, batches, getattr(batches, "sampler", None))
    generators = [
        value
        for one in (*every, loader.dataset)
        for value in getattr(one, "__dict__", {}).values()
        if _is_random(value)
    ]
    return kept_contents(generators, set())


def _entries(one: Any) -> list[Any]:
    """Return what a container holds, by its plain type: a subclass may forbid that."""
    if isinstance(one, dict):
        return [value for _, value in _items(one)]
    plain = next(kind for kind in (tuple, list, deque, set) if isinstance(one, kind))
    return list(plain.__iter__(one))


def _items(one: dict[Any, Any]) -> list[tuple[Any, Any]]:
    if isinstance(one, OrderedDict):  # whose order is not its dict's
        return list(OrderedDict.items(one))
    return list(dict.items(one))


def _of_container(one: Any) -> list[Restore]:
    if isinstance(one, tuple):
        return []
    # The plain types' own methods: a Counter's `update` would count.
    if isinstance(one, dict):
        items = _items(one)

        def restore() -> None:
            if not _same(_items(one), items):
                one.clear()
                for key, value in items:
                    one[key] = value

        return [restore]
    kept = _entries(one)

    def refill() -> None:
        if not _same(_entries(one), kept):
            one.clear()
            (one.update if isinstance(one, set) else one.extend)(kept)

    return [refill]


def _same(now: Iterable[Any], before: list[Any]) -> bool:
    """Whether a container holds the very objects that it held."""
    now = list(now)
    if before and isinstance(before[0], tuple):
        return len(now) == len(before) and all(
            len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
            if isinstance(a, tuple) and isinstance(b, tuple)
            else a is b
            for a, b in zip(now, before, strict=True)
        )
    return len(now) == len(before) and all(
        a is b for a, b in zip(now, before, strict=True)
    )


def _is_random(one: Any) -> bool:
    return isinstance(
        one,
        torch.Generator | random.Random | np.random.Generator | np.random.RandomState,
    )


def _of_leaf(one: Any) -> Restore | None:
    if isinstance(one, Tensor):
        return _of_tensor(one)
    if isinstance(one, np.ndarray):
        return _of_array(one)
    if isinstance(one, torch.Generator):
        state = one.get_state()
        return lambda: one.set_state(state)
    if isinstance(one, np.random.Generator):
        bits, stream = one.bit_generator, one.bit_generator.state
        return lambda: setattr(bits, "state", stream)
    if isinstance(one, np.random.RandomState):
        legacy = one.get_state()
        return lambda: one.set_state(legacy)
    if isinstance(one, random.Random) and not isinstance(one, random.SystemRandom):
        python = one.getstate()
        return lambda: one.setstate(python)
    return None


def _of_array(array: np.ndarray) -> Restore | None:
    # A mapped file may be larger than memory.
    if not array.flags.writeable or isinstance(array, np.memmap):
        return None
    kept = array.copy()

    def restore() -> None:
        array[...] = kept

    return restore


def _of_tensor(tensor: Tensor) -> Restore | None:
    is_written = not is_lazy(tensor) and tensor.layout == torch.strided
    if not is_written or tensor.is_meta or 0 in tensor.stride():
        return None
    with torch.inference_mode(tensor.is_inference()), torch.no_grad():
        kept = tensor.detach().clone()

    def restore() -> None:
        with torch.inference_mode(tensor.is_inference()), torch.no_grad():
            # Writing would spoil a graph of the user's that it is part of.
            if not torch.equal(tensor, kept):
                tensor.detach().copy_(kept)

    return restore
