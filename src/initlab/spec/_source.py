"""Fingerprints of functions: of the source, and of the values that it refers to."""

import functools
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from initlab.spec._base import digest


def source_digest(draw: Callable[..., Any]) -> str | None:
    """Return SHA-256 of a callable's source, defaults, and values that it refers to.

    A factor in an enclosing function or in the same module counts; what other modules
    define counts by name. None: its source cannot be read.

    Example:
        >>> source_digest(print) is None
        True
    """
    try:
        parts = list(_parts(draw, home=_module(draw), seen=set()))
    except (OSError, TypeError):
        return None
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _parts(value: Any, *, home: str, seen: set[int]) -> Iterator[str]:
    """Yield text that changes when what the value does changes.

    Raises:
        OSError, TypeError: If the source of something of `home` cannot be read.
    """
    if id(value) in seen:
        return
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield repr(value)
        return
    seen.add(id(value))
    if isinstance(value, functools.partial):
        for each in (value.func, value.args, value.keywords):
            yield from _parts(each, home=home, seen=seen)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield repr(key)
            yield from _parts(each, home=home, seen=seen)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _parts(each, home=home, seen=seen)
    elif isinstance(value, FunctionType) and _module(value) == home:
        yield from _function(value, home=home, seen=seen)
    elif hasattr(value, "tobytes"):
        yield digest(value)
    elif isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, FunctionType) or not hasattr(value, "__dict__"):
        if _module(value) == home:
            raise TypeError(value)  # compiled: there is no source
        yield f"{_module(value)}.{getattr(value, '__qualname__', type(value))}"
    else:
        kind = value if isinstance(value, type) else type(value)
        yield f"{kind.__module__}.{kind.__qualname__}"
        if kind.__module__ == home:
            yield textwrap.dedent(inspect.getsource(kind))
        if not isinstance(value, type):
            yield from _parts(vars(value), home=home, seen=seen)


def _function(value: FunctionType, *, home: str, seen: set[int]) -> Iterator[str]:
    yield textwrap.dedent(inspect.getsource(value))
    for each in (value.__defaults__, value.__kwdefaults__):
        yield from _parts(each, home=home, seen=seen)
    used = inspect.getclosurevars(value)
    for names in (used.nonlocals, used.globals):
        for name in sorted(names):
            yield name
            yield from _parts(names[name], home=home, seen=seen)


def _module(value: Any) -> str:
    return str(getattr(value, "__module__", None) or type(value).__module__)
