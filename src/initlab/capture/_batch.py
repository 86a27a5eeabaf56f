"""A user's batch as arguments of the model, on its device, and the targets apart."""

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from initlab.capture._held import kept_loader
from initlab.capture._usable import refuse_unusable
from initlab.errors import InvalidValueError

_TWO = 2
_ANY_NUMBER = 10**6
_CONTAINERS = (list, tuple, set, frozenset, deque)
_NESTED = (*_CONTAINERS, Mapping)
# What holds tensors is looked into as far as this: it may hold all of a program.
_MOST_OBJECTS = 10_000
_OF_TARGETS = frozenset({"label", "labels", "target", "targets"})


@dataclass(frozen=True, slots=True)
class Call:
    """How to call the model.

    Attributes:
        args, kwargs: Of its forward.
        targets: What the outputs are compared with, or None.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    targets: Any

    @property
    def labelled(self) -> bool:
        """Whether the model is given the targets itself, for a loss of its own."""
        given = (*self.args, *self.kwargs.values())
        return any(value is self.targets for value in given)


def as_call(model: nn.Module, batch: Any, targets: Any, *, with_loss: bool) -> Call:
    """Return how to call a model with a batch.

    A dict with text as keys is keyword arguments; a tuple or list is positional ones,
    the last of them targets where the model takes one less. A named tuple is one
    argument, unless the model needs more. A model that takes the targets itself, as
    arguments of that name, is given them. Tensors are copied, so that nothing the model
    does in place reaches the user's batch.

    Args:
        model: That is called.
        batch: A tensor, a tuple, list or dict of them, or a DataLoader, whose first
            batch is taken.
        targets: Given apart, or None.
        with_loss: Whether a loss was given that takes targets.

    Raises:
        InvalidValueError: If a DataLoader is empty, or it is no batch.

    Example:
        >>> batch = (torch.ones(3, 2), torch.zeros(3))
        >>> call = as_call(nn.Linear(2, 1), batch, None, with_loss=True)
        >>> len(call.args), call.targets.shape
        (1, torch.Size([3]))
    """
    if isinstance(batch, DataLoader):
        batch = _first_batch(batch)
        _refuse_two_targets(model, batch, targets)
    refuse_unusable(batch, tensors_in(batch))
    device = _device(model)
    batch, targets = _moved(batch, device), _moved(targets, device)
    if isinstance(batch, Mapping):
        if not batch:
            raise InvalidValueError(
                "a dict of arguments, got an empty one", argument="batch"
            )
        _refuse_unknown_keys(model, batch)
        if _names_arguments(model, batch):
            kwargs = dict(batch)
            if targets is None:
                targets = kwargs.get("labels", kwargs.get("targets"))
            return Call((), kwargs, targets)
        return Call((batch,), {}, targets)
    required, allowed = _positional(model)
    is_one = hasattr(batch, "_fields") and required < 2
    if not isinstance(batch, list | tuple) or is_one:
        return Call((batch,), {}, targets)
    args = tuple(batch)
    if not args:
        raise InvalidValueError("tensors, got an empty list", argument="batch")
    beyond = len(args) > allowed or (with_loss and len(args) == required + 1)
    if targets is None and len(args) > 1 and beyond:
        if _takes_targets(model, len(args) - 1):
            return Call(args, {}, args[-1])
        args, targets = args[:-1], args[-1]
    if allowed == 1 and len(args) > 1:
        return Call((batch,), {}, targets)
    return Call(args, {}, targets)


def ends_with_targets(model: nn.Module, batch: Any) -> bool:
    """Return whether a batch has one entry more than the model takes: its targets.

    Example:
        >>> pair = torch.ones(3, 2), torch.zeros(3)
        >>> ends_with_targets(nn.Linear(2, 1), pair)
        True
    """
    listed = isinstance(batch, list | tuple) and not hasattr(batch, "_fields")
    return listed and len(batch) == _positional(model)[1] + 1


def _refuse_two_targets(model: nn.Module, batch: Any, targets: Any) -> None:
    """Refuse targets beside those that a loader's batches end with.

    Raises:
        InvalidValueError: If there are both.
    """
    if targets is not None and ends_with_targets(model, batch):
        raise InvalidValueError(
            f"a DataLoader yields its own, as the last of {len(batch)} "
            "entries of a batch, and targets were given besides; leave targets= out",
            argument="targets",
        )


def _refuse_unknown_keys(model: nn.Module, batch: Mapping[Any, Any]) -> None:
    """Refuse a dict of keyword arguments with one that the model does not take.

    A model of one argument may take the dict itself.

    Raises:
        InvalidValueError: If forward knows some keys and not others, or takes more
            arguments than the dict alone could be.
    """
    required, allowed = _positional(model)
    if _names_arguments(model, batch) or allowed == 1:
        return
    known = {parameter.name for parameter in _parameters(model)}
    if known & set(batch) or required >= _TWO or not allowed:
        raise InvalidValueError(unknown_keys(model, batch), argument="batch")


def unknown_keys(model: nn.Module, batch: Mapping[Any, Any]) -> str:
    """Return which keys of a dict forward does not know, and what it takes.

    Example:
        >>> unknown_keys(nn.Linear(2, 1), {"x": torch.ones(1, 2)})
        "forward takes (input), not the key 'x'; rename it or leave it out"
    """
    names = [parameter.name for parameter in _parameters(model)]
    odd = [key for key in batch if key not in names]
    several = f"keys {', '.join(map(repr, odd))}; rename them or leave them out"
    one = f"key {odd[0]!r}; rename it or leave it out"
    of_targets = ", or give targets= apart" if _OF_TARGETS & set(odd) else ""
    return (
        f"forward takes ({', '.join(names)}), not the "
        f"{one if len(odd) == 1 else several}{of_targets}"
    )


def _first_batch(loader: DataLoader[Any]) -> Any:
    restores = kept_loader(loader)
    try:
        batch = next(iter(loader), None)
    finally:
        for restore in restores:
            restore()
    if batch is None:
        raise InvalidValueError("the DataLoader gives no batch", argument="batch")
    return batch


def tensors_in(tree: Any) -> list[torch.Tensor]:
    """Return the tensors in nested containers and dataclasses, in order.

    Example:
        >>> len(tensors_in({"a": torch.ones(1), "b": (torch.ones(2), 3)}))
        2
    """
    if isinstance(tree, torch.Tensor):
        return [tree]
    if not (isinstance(tree, _NESTED) or hasattr(tree, "__dataclass_fields__")):
        return []
    return [tensor for one in _inside(tree) for tensor in tensors_in(one)]


def tensors_held(tree: Any) -> list[torch.Tensor]:
    """Return the tensors in the attributes of objects, too, as of a distribution.

    Args:
        tree: An object, or containers of some; each is looked into once.

    Example:
        >>> len(tensors_held(torch.distributions.Normal(torch.ones(2), 1.0)))
        2
    """
    found: list[torch.Tensor] = []
    todo: list[Any] = [tree]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if isinstance(one, torch.Tensor):
            found.append(one)
        elif id(one) not in seen and len(seen) < _MOST_OBJECTS:
            seen.add(id(one))
            todo += list(_inside(one))[::-1]
    return found


def _inside(one: Any) -> Iterable[Any]:
    """Return what a container or an object of a user's holds."""
    if isinstance(one, Mapping):
        return one.values()
    if isinstance(one, _CONTAINERS):
        return one
    if isinstance(one, type | nn.Module | ModuleType | FunctionType):
        return ()
    slots = [
        name
        for kind in type(one).__mro__
        for name in _names(vars(kind).get("__slots__", ()))
    ]
    held = [getattr(one, name) for name in slots if hasattr(one, name)]
    return [*held, *getattr(one, "__dict__", {}).values()]


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def without_iterators(tree: Any) -> Any:
    """Return outputs with lists in place of generators, which nothing has run yet.

    Example:
        >>> without_iterators((n for n in range(2)))
        [0, 1]
    """
    if isinstance(tree, Iterator):
        return [without_iterators(value) for value in islice(tree, _MOST_OBJECTS)]
    if type(tree) in (list, tuple):
        values = [without_iterators(value) for value in tree]
        same = all(one is other for one, other in zip(values, tree, strict=True))
        return tree if same else type(tree)(values)
    if type(tree) is dict:
        changed = {key: without_iterators(value) for key, value in tree.items()}
        return tree if all(changed[key] is tree[key] for key in tree) else changed
    return tree


def _names_arguments(model: nn.Module, batch: Mapping[Any, Any]) -> bool:
    parameters = _parameters(model)
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return all(isinstance(key, str) for key in batch)
    return set(batch) <= {p.name for p in parameters}


def _takes_targets(model: nn.Module, place: int) -> bool:
    """Whether the argument of forward at this place is for targets, by its name."""
    names = [parameter.name for parameter in _parameters(model)]
    return names[place : place + 1] in (["targets"], ["labels"])


def _positional(model: nn.Module) -> tuple[int, int]:
    """Return how many positional arguments forward needs, and how many it takes."""
    required = allowed = 0
    for parameter in _parameters(model):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return required, _ANY_NUMBER
        if parameter.kind in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        ):
            allowed += 1
            required += parameter.default is inspect.Parameter.empty
    return required, allowed


def most_arguments(model: nn.Module) -> int | None:
    """Return how many positional arguments forward takes; None: any number.

    Example:
        >>> most_arguments(nn.Linear(2, 1)), most_arguments(nn.Bilinear(2, 2, 1))
        (1, 2)
    """
    most = _positional(model)[1]
    return None if most == _ANY_NUMBER else most


def _parameters(model: nn.Module) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]


def _device(model: nn.Module) -> torch.device:
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


def _moved(tree: Any, device: torch.device) -> Any:
    return _map(tree, lambda tensor: tensor.detach().to(device, copy=True))


def _map(tree: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    if isinstance(tree, torch.Tensor):
        return change(tree)
    if isinstance(tree, Mapping):
        changed = {key: _map(value, change) for key, value in tree.items()}
        # Only plain dicts are rebuilt: others may need more than their items.
        return changed if type(tree) is dict else _rebuilt(tree, changed)
    if isinstance(tree, list):
        return [_map(value, change) for value in tree]
    if isinstance(tree, set | frozenset):
        return type(tree)(_map(value, change) for value in tree)
    if isinstance(tree, deque):
        return deque((_map(value, change) for value in tree), tree.maxlen)
    if isinstance(tree, tuple):
        values = [_map(value, change) for value in tree]
        return tree._make(values) if hasattr(tree, "_make") else tuple(values)
    if hasattr(tree, "__dataclass_fields__"):
        for value in _inside(tree):
            _map(value, change)
    return tree


def _rebuilt(tree: Mapping[Any, Any], changed: dict[Any, Any]) -> Any:
    try:
        return type(tree)(changed)  # type: ignore[call-arg]
    except Exception:  # the constructor of a user's mapping may want anything
        return changed
