"""Exceptions of a model, named: where it failed, and how."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.optim import Optimizer

from initlab.capture._batch import Call, tensors_in, unknown_keys
from initlab.capture._trace import Trace
from initlab.errors import InitlabError, InvalidValueError

# The words by which torch's messages name a type, and the method that converts to it.
_WORDS = {
    torch.bool: {"bool"},
    torch.uint8: {"byte", "unsigned", "uint8"},
    torch.int32: {"int", "int32"},
    torch.int64: {"long", "int64"},
    torch.float16: {"half", "float16"},
    torch.bfloat16: {"bfloat16"},
    torch.float32: {"float", "float32"},
    torch.float64: {"double", "float64"},
}
_METHODS = {torch.float16: "half", torch.bfloat16: "bfloat16",
            torch.float32: "float", torch.float64: "double"}  # fmt: skip


class ModelRunError(InvalidValueError):
    """The model raised an exception on this batch: in which module, and which one."""


class IndicesError(ModelRunError):
    """A table was given other numbers than indices; `rows` says how many it has."""

    rows = 0


class OptimizerRunError(InvalidValueError):
    """The optimizer raised an exception in its step: which one."""


@contextmanager
def named_failure_in_step() -> Iterator[None]:
    """Re-raise an exception that came out of an optimizer as the optimizer's."""
    try:
        yield
    except InitlabError:
        raise
    except Exception as error:
        frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        own = (frame.f_locals.get("self") for frame in frames)
        optimizer = next((one for one in own if isinstance(one, Optimizer)), None)
        if optimizer is None:
            raise
        raise OptimizerRunError(
            f"{type(optimizer).__name__} raised {type(error).__name__} in its step: "
            f"{_first_line(error)}",
            argument="optimizer",
        ) from error


@contextmanager
def named_failure(trace: Trace, model: nn.Module, call: Call) -> Iterator[None]:
    """Re-raise a model's exception with the module in which it failed."""
    try:
        yield
    except InitlabError:
        raise
    except SystemExit as ended:
        raise ModelRunError(
            f"called {exit_call(ended)} in {_where(trace, model, ended)}, where it "
            "must return its outputs",
            argument="model",
        ) from None
    except Exception as error:
        name, said = _where(trace, model, error), _first_line(error)
        line = f"failed on this batch in {name}: {type(error).__name__}: {said}"
        real = _real_types(tensors_in((call.args, call.kwargs)))
        if "'indices'" in said and real:
            refused = IndicesError(
                line,
                argument="model",
                fix=f"indices are whole numbers, the batch is {_name(real)}: "
                "give .long()",
            )
            table = dict(model.named_modules()).get(trace.failed_in(error))
            refused.rows = getattr(table, "num_embeddings", 0)
            raise refused from error
        raise ModelRunError(
            line + (_index_hint(trace, model, error, call) or _hint(said, model, call)),
            argument="model",
        ) from error


def exit_call(ended: SystemExit) -> str:
    """Return the call that ends Python, as it is written.

    Example:
        >>> exit_call(SystemExit()), exit_call(SystemExit(3))
        ('sys.exit()', 'sys.exit(3)')
    """
    return f"sys.exit({'' if ended.code is None else repr(ended.code)})"


def _where(trace: Trace, model: nn.Module, error: BaseException) -> str:
    """Return the module in which a model failed: its path, and what it is."""
    path = trace.failed_in(error)
    kind = type(dict(model.named_modules()).get(path, model)).__name__
    return f"{path} ({kind})" if path else kind


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _index_hint(trace: Trace, model: nn.Module, error: Exception, call: Call) -> str:
    """Return which token ids a table has rows for, if it was asked for others."""
    table = dict(model.named_modules()).get(trace.failed_in(error))
    if not isinstance(error, IndexError) or not isinstance(
        table, nn.Embedding | nn.EmbeddingBag
    ):
        return ""
    whole = [
        t for t in tensors_in((call.args, call.kwargs))
        if not t.is_floating_point() and not t.is_complex() and t.numel()
    ]  # fmt: skip
    largest = max((int(t.max()) for t in whole), default=-1)
    arrived = f", got {largest}" if largest >= table.num_embeddings else ""
    return (
        f"; its table has {table.num_embeddings} rows: ids from 0 to "
        f"{table.num_embeddings - 1}{arrived}"
    )


def _hint(line: str, model: nn.Module, call: Call) -> str:
    """Return what to do about a failure, where that is known."""
    args = call.args
    if len(args) == 1 and hasattr(args[0], "_fields"):
        name = type(args[0]).__name__
        return f"; it was given the {name} as one argument; tuple(batch) gives several"
    if len(args) > 1 and re.search(r"takes .*positional arguments? but \d+ were", line):
        return (
            "; a list or tuple is given as its entries, each an argument; to give it "
            "as one, give (batch,)"
        )
    if args and isinstance(args[0], dict) and "not dict" in line:
        return f"; {unknown_keys(model, args[0])}"
    if "Expected more than 1" in line and "when training" in line:
        return "; a batch needs two examples or more, also of a model in eval mode"
    other = re.search(r"must be Tensor, not (list|float|int|numpy\.ndarray)\b", line)
    given = [*args, *call.kwargs.values()]
    if other and other[1].rpartition(".")[2] in {type(one).__name__ for one in given}:
        return f"; the batch holds {other[1]}: give torch.as_tensor(...)"
    return _dtype_hint(line, model, tensors_in(given))


def _dtype_hint(line: str, model: nn.Module, tensors: list[torch.Tensor]) -> str:
    """Return the type that the batch should have, if torch's message is about types."""
    if not re.search("dtype|scalar type|Input type|Type promoting", line):
        return ""
    found = {one.dtype for one in tensors}
    if "omplex" in line and any(dtype.is_complex for dtype in found):
        kind = next(iter(dtype for dtype in found if dtype.is_complex))
        return (
            f"; the batch is {_name({kind})}: give its parts as real numbers, as in "
            "torch.view_as_real(batch), or batch.abs()"
        )
    kinds = {p.dtype for p in model.parameters()}
    words = set(re.findall(r"[a-z]+\d*", line.lower()))
    if "mixed dtype" not in line:  # the message names no type
        found = {dtype for dtype in found if _WORDS.get(dtype, set()) & words}
        kinds = {dtype for dtype in kinds if _WORDS.get(dtype, set()) & words}
    odd = found - kinds
    if len(kinds) != 1 or not kinds <= _METHODS.keys() or not odd:
        return ""
    (kind,) = kinds
    method = _METHODS[kind]
    if len(tensors) == 1:
        return (
            f"; the batch is {_name(odd)} and the parameters {_name(kinds)}: give "
            f"batch.{method}()"
        )
    return (
        f"; the batch holds {_name(odd)} and the parameters are {_name(kinds)}: give "
        f".{method}() of each"
    )


def _real_types(tensors: list[torch.Tensor]) -> set[torch.dtype]:
    return {one.dtype for one in tensors if one.is_floating_point()}


def _name(dtypes: set[torch.dtype]) -> str:
    return ", ".join(sorted(str(one).removeprefix("torch.") for one in dtypes))


@contextmanager
def named_failure_back() -> Iterator[None]:
    """Re-raise an exception of the backward pass, as from a hook of the model's own."""
    try:
        yield
    except Exception as error:
        said = _first_line(error)
        if said.startswith("Found dtype"):
            said += "; targets of another type? give them that of the outputs"
        raise ModelRunError(
            f"failed on the way back from its outputs: {type(error).__name__}: {said}",
            argument="model",
        ) from error
