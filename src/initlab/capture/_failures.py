"""Exceptions of a model, named: where it failed, and how."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from initlab.capture._trace import Trace
from initlab.errors import InitlabError, InvalidValueError


class ModelRunError(InvalidValueError):
    """The model raised an exception on this batch: in which module, and which one."""


@contextmanager
def named_failure(
    trace: Trace, model: nn.Module, args: tuple[Any, ...]
) -> Iterator[None]:
    """Say in which module the model failed that was called with these arguments."""
    try:
        yield
    except InitlabError:
        raise
    except Exception as error:
        path = trace.where
        module = dict(model.named_modules()).get(path, model)
        name = f"{path} ({type(module).__name__})" if path else type(module).__name__
        said = _first_line(error)
        raise ModelRunError(
            f"model: failed on this batch in {name}: {type(error).__name__}: {said}"
            + _hint(said, args)
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _hint(line: str, args: tuple[Any, ...]) -> str:
    """Return what to do about a failure, where that is known."""
    if len(args) == 1 and hasattr(args[0], "_fields"):
        name = type(args[0]).__name__
        return f"; it was given the {name} as one argument; tuple(batch) gives several"
    if "Expected more than 1" in line and "when training" in line:
        return "; a batch needs two examples or more, also of a model in eval mode"
    return ""


@contextmanager
def named_failure_back() -> Iterator[None]:
    """Say that the model failed where gradients come back, as in a hook of its own."""
    try:
        yield
    except Exception as error:
        raise ModelRunError(
            "model: failed on the way back from its outputs: "
            f"{type(error).__name__}: {_first_line(error)}"
        ) from error
