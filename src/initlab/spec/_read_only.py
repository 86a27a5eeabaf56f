"""A dict that stays as it is: what a frozen value may hold."""

from collections.abc import Hashable, Mapping
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Key = TypeVar("Key")
Value = TypeVar("Value")


class ReadOnly(dict[Key, Value]):
    """A dict that nothing can be set in; `copy()` gives one that can be changed.

    `MappingProxyType` could neither be pickled nor written by `json.dumps`.

    Example:
        >>> parameters = ReadOnly({"std": 10.0})
        >>> parameters
        {'std': 10.0}
        >>> parameters["std"] = 1.0
        Traceback (most recent call last):
        TypeError: read-only: copy() gives a dict that can be changed
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return how pydantic reads and writes it: as the dict of these types."""
        entries = handler.generate_schema(dict[get_args(source)])  # type: ignore[misc]
        return core_schema.no_info_after_validator_function(
            cls,
            entries,
            serialization=core_schema.plain_serializer_function_ser_schema(
                dict, return_schema=entries
            ),
        )

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError("read-only: copy() gives a dict that can be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type["ReadOnly[Key, Value]"], tuple[dict[Any, Any]]]:
        return type(self), (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(hashable(self))


def hashable(value: Any) -> Hashable:
    """Return something to hash for a value; equal ones have equal ones."""
    if isinstance(value, Mapping):
        return frozenset((key, hashable(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(hashable, value))
    return value
