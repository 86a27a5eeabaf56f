"""A model built twice over poisoned memory, which shows what nothing initialized."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from initlab import capture
from initlab.errors import InvalidValueError
from initlab.spec import BuildFacts

# Neither is drawn by any initializer.
_POISONS = (7.7e7, -3.3e9)
_EMPTY = ("aten::empty", "aten::new_empty", "aten::empty_like", "aten::empty_strided")
_RANDOM = ("normal_", "uniform_", "trunc", "erfinv_")
_CONSTANT = ("zero_", "fill_")

Factory = Callable[[], nn.Module]


class _Poison(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Fill what is allocated, and note who sets it to a constant or draws over it."""

    def __init__(self, poison: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._poison = poison
        # By memory: how much of it was written on purpose, and by which functions
        # outside of constructors.
        self.writes: dict[int, list[tuple[int, str, str]]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Leave the compiler alone, which is slow to load and has nothing to skip."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.name().split(".")[0]
        if name in _EMPTY and isinstance(out, Tensor) and out.is_floating_point():
            torch.Tensor.fill_(out, self._poison)
        short = name.removeprefix("aten::")
        if args and isinstance(args[0], Tensor) and short in (*_CONSTANT, *_RANDOM):
            kind = "constant" if short in _CONSTANT else "random"
            writer = _writer()
            if writer is not None:
                write = (args[0].numel(), kind, writer)
                self.writes.setdefault(args[0].data_ptr(), []).append(write)
        elif isinstance(out, Tensor) and _is_new(out, args):
            self.writes.pop(out.data_ptr(), None)  # a freed tensor's
        return out


def _is_new(out: Tensor, args: tuple[Any, ...]) -> bool:
    """Whether a function allocated the tensor that it returned."""
    memory = out.untyped_storage().data_ptr()
    return not any(
        one.untyped_storage().data_ptr() == memory
        for one in args
        if isinstance(one, Tensor)
    )


def _writer() -> str | None:
    """Return the user's function that sets a tensor; None in a constructor."""
    frame = sys._getframe(2)
    writer = None
    while frame is not None:
        code, module = frame.f_code, frame.f_globals.get("__name__", "")
        if code.co_name in ("reset_parameters", "_reset_parameters"):
            return None
        if writer is None and not module.startswith(("torch", "initlab.pytorch")):
            writer = code.co_name
        frame = frame.f_back  # type: ignore[assignment]
    return writer


def build(factory: Factory, seed: int) -> nn.Module:
    """Return the model that a function makes, from torch's stream at a seed.

    Raises:
        InvalidValueError: If it makes no module, or one without values, or needs
            arguments.
    """
    with _seeded(seed):
        return _made(factory)


def build_facts(factory: Factory, seed: int) -> BuildFacts:
    """Build a model twice, over different poison; return the parameters that kept it.

    Args:
        factory: Makes a model; all its randomness from the global streams.
        seed: Of both builds.
    """
    found, writes = [], []
    for poison in _POISONS:
        with _seeded(seed), _Poison(poison) as mode:
            model = capture.unwrapped(_made(factory))  # whose names findings have
        found.append({k: p for k, p in model.named_parameters() if not is_lazy(p)})
        writes.append((model, mode.writes))
    first, second = found
    uninitialized = []
    for name, parameter in first.items():
        other = second.get(name)
        if other is None or other.shape != parameter.shape:
            continue
        differs = parameter.detach() != other.detach()
        # Tensors with a random source of their own differ as well, but not by as much.
        odd = differs & (
            (parameter.detach().abs() > 1e3) | (other.detach().abs() > 1e3)
        )
        share = float(odd.float().mean()) if odd.numel() else 0.0
        if share > 0:
            uninitialized.append((name, share))
    model, written = writes[0]
    return BuildFacts(
        uninitialized=tuple(uninitialized),
        overwritten=tuple(_overwritten(model, written)),
    )


def _overwritten(
    model: nn.Module, writes: dict[int, list[tuple[int, str, str]]]
) -> Iterator[tuple[str, str, str]]:
    for name, parameter in model.named_parameters():
        if is_lazy(parameter) or parameter.dim() < 2:
            continue
        # A row begins where its matrix does.
        history = [
            (kind, writer)
            for size, kind, writer in writes.get(parameter.data_ptr(), [])
            if size == parameter.numel()
        ]
        for (kind, writer), (later, after) in pairwise(history):
            if kind == "constant" and later == "random" and writer != after:
                yield name, writer, after


def called(function: Callable[[], Any]) -> Any:
    """Return what a function without arguments returns.

    Raises:
        InvalidValueError: If it needs arguments.

    Example:
        >>> called(lambda: 3)
        3
    """
    try:
        return function()
    except TypeError as error:
        frames = error.__traceback__
        # Of an error inside of the function there is a frame of it.
        if frames is not None and frames.tb_next is None:
            raise InvalidValueError(
                f"the function that makes it must need no arguments: {error}; "
                "give functools.partial(...) or a function of your own",
                argument="model",
            ) from error
        raise


def _made(factory: Factory) -> nn.Module:
    model = called(factory)
    if not isinstance(model, nn.Module):
        raise InvalidValueError(
            f"the function must return a torch.nn.Module, got {type(model).__name__}",
            argument="model",
        )
    capture.unwrapped(model)  # refuses modules without values, or with hidden functions
    return model


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Lend the global streams, at a seed, to one thread."""
    import random

    import numpy as np

    with capture.ALONE, torch.random.fork_rng(devices=[]):
        python, legacy = random.getstate(), np.random.get_state()
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)
