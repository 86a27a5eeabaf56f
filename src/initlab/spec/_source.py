"""Fingerprints of functions: of the source, and of the values that it refers to."""

import copyreg
import functools
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from initlab.spec._base import digest, is_array


def source_digest(draw: Callable[..., Any]) -> str | None:
    """Return SHA-256 of a callable's source, defaults, and values that it refers to.

    A factor in an enclosing function or in the same module counts, and so does whatever
    is equal to another by its content: sets, fractions, arrays, tables. What other
    modules define counts by name, and what has an identity only (a generator, a lock)
    by its type. None: its source cannot be read.

    Example:
        >>> source_digest(print) is None
        True
    """
    try:
        parts = list(_parts(draw, home=_module(draw), seen={}))
    except (OSError, TypeError):
        return None
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _parts(value: Any, *, home: str, seen: dict[int, Any]) -> Iterator[str]:
    """Yield text that changes when what the value does changes.

    Args:
        value: What a function refers to.
        home: The function's module.
        seen: Whatever was met, by `id`; kept, so that no other gets its number.

    Raises:
        OSError, TypeError: If the source of something of `home` cannot be read.
    """
    if id(value) in seen:
        return
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield repr(value)
        return
    seen[id(value)] = value
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
    elif type(value) in (set, frozenset):
        # Its order is another in every process.
        yield from sorted(
            "\n".join(_parts(each, home=home, seen=dict(seen))) for each in value
        )
    elif isinstance(value, MethodType):
        yield from _parts(value.__func__, home=home, seen=seen)
        yield from _parts(value.__self__, home=home, seen=seen)
    elif isinstance(value, FunctionType) and _module(value) == home:
        yield from _function(value, home=home, seen=seen)
    elif hasattr(value, "tobytes") or is_array(value):
        yield digest(value)
    elif isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, FunctionType) or not hasattr(value, "__dict__"):
        if _module(value) == home:
            raise TypeError(value)  # compiled: there is no source
        yield f"{_module(value)}.{getattr(value, '__qualname__', type(value))}"
        for each in _content(value):
            yield from _parts(each, home=home, seen=seen)
    else:
        kind = value if isinstance(value, type) else type(value)
        yield f"{kind.__module__}.{kind.__qualname__}"
        if kind.__module__ == home:
            yield textwrap.dedent(inspect.getsource(kind))
        if not isinstance(value, type):
            # NumPy's functions note their signature when they are first asked for it.
            own = {k: v for k, v in vars(value).items() if k != "__signature__"}
            yield from _parts(own, home=home, seen=seen)
            for each in _content(value):
                yield from _parts(each, home=home, seen=seen)


def _function(value: FunctionType, *, home: str, seen: dict[int, Any]) -> Iterator[str]:
    yield textwrap.dedent(inspect.getsource(value))
    for each in (value.__defaults__, value.__kwdefaults__):
        yield from _parts(each, home=home, seen=seen)
    used = inspect.getclosurevars(value)
    for names in (used.nonlocals, used.globals):
        for name in sorted(names):
            yield name
            yield from _parts(names[name], home=home, seen=seen)


def _content(value: Any) -> list[Any]:
    """Return what makes a value equal to another and is no attribute of it.

    Nothing of what is equal to itself only, and of what cannot be taken apart.
    """
    if isinstance(value, set | frozenset):
        return [frozenset(value)]
    if isinstance(value, type | BuiltinFunctionType):
        return []
    same: object = type(value).__eq__
    if same is object.__eq__:
        return []
    try:
        reduce = copyreg.dispatch_table.get(type(value))
        made = reduce(value) if reduce else value.__reduce_ex__(2)
    except Exception:
        return []
    if isinstance(made, str):
        return []
    _, arguments, *rest = made
    state, *items = rest or [None]
    attributes = getattr(value, "__dict__", None)
    if isinstance(state, tuple) and len(state) == 2:
        state = state[1]  # slots; the first are attributes
    elif attributes is not None:
        state = None
    kept = [] if attributes else [each for each in arguments if each is not type(value)]
    return [each for each in (*kept, state, *map(_listed, items)) if each is not None]


def _listed(items: Iterator[Any] | None) -> list[Any] | None:
    return None if items is None else list(items)


def _module(value: Any) -> str:
    return str(getattr(value, "__module__", None) or type(value).__module__)
