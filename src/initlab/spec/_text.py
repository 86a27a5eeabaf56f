"""Studies as TOML text, and back."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar

import tomli_w

from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec._base import Spec
from initlab.spec._network import MLP
from initlab.spec._problem import Problem
from initlab.spec._signal import SignalStudy
from initlab.spec._study import Study


def to_dict(spec: Spec) -> dict[str, Any]:
    """Return the spec as plain values; what was left to its default None is absent."""
    return spec.model_dump(mode="json", exclude_none=True)


def to_toml(spec: Spec) -> str:
    """Return the spec as TOML, every default written out.

    Example:
        >>> from_toml(to_toml(Study(steps=10))) == Study(steps=10)
        True
    """
    return tomli_w.dumps(to_dict(spec))


def from_toml(text: str) -> Study:
    """Return the study that the TOML text describes.

    Raises:
        InvalidValueError: If it is not TOML, or a value is not allowed; the message
            names the key.
        UnknownNameError: If a name in it is in no table.

    Example:
        >>> study = from_toml('inits = ["zeros", "he_normal"]')
        >>> [init.name for init in study.inits]
        ['zeros', 'he_normal']
    """
    return _read(text, Study)


def signal_study_from_toml(text: str) -> SignalStudy:
    """Return the measurement of signals that the TOML text describes.

    Raises:
        InvalidValueError, UnknownNameError: As `from_toml`.
    """
    return _read(text, SignalStudy)


_Kind = TypeVar("_Kind", bound=Spec)


def _read(text: str, kind: type[_Kind]) -> _Kind:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = ""
        if "immutable namespace" in str(error):
            hint = (
                "; a key that has a value cannot have parts as well, unless the "
                'longer key is quoted: "problem.seed" = [1, 2]'
            )
        raise InvalidValueError(f"not TOML: {error}{hint}") from None
    for key, model in _TABLES.items():
        if isinstance(values.get(key), dict):
            with _named(model, table=key):
                values[key] = model(**values[key])
    with _named(kind):
        return kind(**values)


# Tables whose complaints name their own keys only.
_TABLES: Mapping[str, type[Spec]] = MappingProxyType(
    {"network": MLP, "problem": Problem}
)


@contextmanager
def _named(model: type[Spec], table: str | None = None) -> Iterator[None]:
    """Say of a complaint which key of the TOML it is about."""
    try:
        yield
    except UnknownNameError as error:
        kind = "key" if error.kind == f"argument of {model.__name__}" else error.kind
        raise UnknownNameError(kind, error.name, error.known, argument=table) from None
    except InvalidValueError as error:
        if table is None or error.argument is None:
            raise
        part = f".{error.argument}{error.part}"
        raise error.anew(argument=table, part=part) from None
