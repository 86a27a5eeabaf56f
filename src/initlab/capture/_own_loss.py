"""The user's loss: what it takes, and what it raises, reported as its own fault."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from initlab.errors import InvalidValueError

# What a function raises that is given a structure in place of a tensor, or the reverse.
_OF_ANOTHER_KIND = (TypeError, AttributeError, LookupError)


class LossRunError(InvalidValueError):
    """The loss raised an exception on these outputs and targets: which one."""


def takes_targets(loss: Callable[..., Any]) -> bool:
    """Whether a loss can be called with outputs and targets, not with outputs alone.

    Example:
        >>> takes_targets(lambda outputs: outputs["loss"]), takes_targets(nn.MSELoss())
        (False, True)
    """
    return _places(loss)[1] > 1


def loss_of(
    loss: Callable[..., Any], outputs: Any, first: Tensor | None, targets: Any
) -> tuple[Tensor, Any, tuple[Any, ...]]:
    """Return a loss, what it was given of the outputs, and what besides.

    Args:
        loss: The user's.
        outputs: Of the model; where the loss takes no structure, the first of them.
        first: Output.
        targets: Or None; only for a loss that takes them.

    Raises:
        InvalidValueError: If it needs targets and there are none, or gives no tensor
            of one real number.
        LossRunError: If it raises an exception.
    """
    given = () if targets is None or not takes_targets(loss) else (targets,)
    if _places(loss)[0] > 1 + len(given):
        raise InvalidValueError(
            "takes outputs and targets, and there are no targets; give targets=, "
            "or a batch of inputs and targets"
            if not given
            else "must take outputs and targets, and needs more arguments; give "
            "them by functools.partial",
            argument="loss",
        )
    tree = outputs
    try:
        value = loss(outputs, *given)
    except Exception as error:
        if first is None or first is outputs or not isinstance(error, _OF_ANOTHER_KIND):
            raise _named(error) from error
        try:
            value, tree = loss(first, *given), first
        except Exception as second:
            known = error if isinstance(second, _OF_ANOTHER_KIND) else second
            raise _named(known) from known
    if not isinstance(value, Tensor):
        raise InvalidValueError(
            f"must return a tensor, got {type(value).__name__}", argument="loss"
        )
    if value.numel() != 1:
        raise InvalidValueError(
            f"one number, got shape {tuple(value.shape)}; give "
            'reduction="mean", or .mean() of it',
            argument="loss",
        )
    if value.is_complex():
        raise InvalidValueError(
            f"a real number, got {value.dtype}; give .real or .abs() of it",
            argument="loss",
        )
    return value, tree, given


def _named(error: Exception) -> LossRunError:
    lines = str(error).strip().splitlines() or ["no text"]
    return LossRunError(
        f"raised {type(error).__name__} on these outputs and targets: {lines[0]}",
        argument="loss",
    )


def _places(loss: Callable[..., Any]) -> tuple[int, int]:
    """Return how many positional arguments a loss needs, and how many it takes."""
    try:
        of = loss.forward if isinstance(loss, nn.Module) else loss
        parameters = inspect.signature(of).parameters.values()
    except (TypeError, ValueError):  # functions in C may have no signature
        return 1, 2
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in parameters if p.kind in kinds]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 1, 2
    return sum(p.default is p.empty for p in positional), len(positional)
