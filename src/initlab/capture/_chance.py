"""Weights that a random choice left out of a run, as layer drop does."""

import random
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from initlab.capture._batch import tensors_in
from initlab.capture._operations import name_of

# Whether the model trains, and what every uniform number is; None: as it is drawn.
_PASSES = ((False, None), (True, 0.0), (True, 1 - 2**-20))
_UNIFORM = frozenset({"rand", "uniform"})
_NUMBER = re.compile(r"(?<![^.])[0-9]+(?=\.)")


def random_numbers() -> tuple[Any, ...]:
    """Return where the generators of torch, NumPy and Python are.

    Example:
        >>> before = random_numbers()
        >>> _ = torch.rand(())
        >>> before == random_numbers()
        False
    """
    _, keys, place, *rest = np.random.get_state()
    numpy = bytes(np.asarray(keys)), place, *rest
    started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    used = torch.cuda.get_rng_state_all() if started else []
    states = [torch.get_rng_state(), *used]
    return (numpy, random.getstate(), *(bytes(one.numpy()) for one in states))


def left_to_chance(
    model: nn.Module,
    run: Callable[[], Any],
    unused: Mapping[str, Tensor],
    *,
    seed: int,
) -> set[str]:
    """Return the parameters that other random numbers would have had used.

    The model runs without gradients up to three times: in eval mode, where all layers
    run as a rule, and with the least and the largest of uniform numbers, so that what
    is compared with one goes both ways. Of copies of a layer it is enough that one is
    left to chance.

    Args:
        model: Whose modes and random states the caller restores.
        run: Runs it.
        unused: Parameters by name that a run did not use.
        seed: Of other random numbers.
    """
    found: set[str] = set()
    for number, (trains, value) in enumerate(_PASSES):
        left = {id(one): name for name, one in unused.items() if name not in found}
        if not left:
            break
        _seed(seed + 1 + number)
        mode = _Uses(left, value)
        modes = [(module, module.training) for module in model.modules()]
        for module, training in modes:
            module.training = training and trains
        try:
            with torch.no_grad(), mode:
                run()
        except Exception:  # another mode or number may be none for this batch
            pass
        finally:
            for module, training in modes:
                module.training = training
        found |= mode.used
    patterns = {_pattern(name) for name in found if _NUMBER.search(name)}
    return found | {name for name in unused if _pattern(name) in patterns}


def _pattern(name: str) -> str:
    return _NUMBER.sub("*", name)


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


class _Uses(TorchFunctionMode):
    """Collects which parameters functions are given."""

    def __init__(self, names: Mapping[int, str], value: float | None) -> None:
        super().__init__()
        self._names, self._value = names, value
        self.used: set[str] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types_: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = name_of(func)
        if name == "attribute" or not isinstance(result, Tensor | tuple | list):
            return result
        given: Collection[Tensor] = tensors_in((args, kwargs))
        self.used |= {self._names[id(t)] for t in given if id(t) in self._names}
        if name in _UNIFORM and self._value is not None:
            result.fill_(self._value)  # type: ignore[union-attr]
        return result
