"""A mapping that stays as it is: what a frozen value may hold."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Key = TypeVar("Key")
Value = TypeVar("Value")


class ReadOnly(Mapping[Key, Value]):
    """A dict that nothing can be set in; equal to one with the same entries.

    `MappingProxyType` would be one that can neither be pickled nor copied.

    Args:
        entries: Copied.

    Example:
        >>> ReadOnly({"std": 10.0})
        {'std': 10.0}
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[Key, Value]) -> None:
        self._entries = dict(entries)

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

    def __getitem__(self, key: Key) -> Value:
        return self._entries[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __or__(self, other: Mapping[Key, Value]) -> dict[Key, Value]:
        return {**self, **other}

    def __ror__(self, other: Mapping[Key, Value]) -> dict[Key, Value]:
        return {**other, **self}

    def __hash__(self) -> int:
        return hash(hashable(self._entries))

    def __repr__(self) -> str:
        return repr(self._entries)


def hashable(value: Any) -> Hashable:
    """Return something to hash for a value; equal ones have equal ones."""
    if isinstance(value, Mapping):
        return frozenset((key, hashable(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(hashable, value))
    return value
