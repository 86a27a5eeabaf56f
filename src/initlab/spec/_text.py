"""Studies as TOML text, and back."""

import tomllib
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError

from initlab.errors import InvalidValueError
from initlab.spec._base import Spec, one_line
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
        raise InvalidValueError(f"not TOML: {error}") from None
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise one_line(error, kind) from None
