"""What every spec has in common: frozen, closed, and errors of one line."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError, ValidationInfo, field_validator

from initlab.errors import InitlabError, InvalidValueError, UnknownNameError
from initlab.spec._read_only import hashable

_NONE = type(None)


class Spec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """A frozen value that names a choice; equal specs run the same experiment."""

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise one_line(error, type(self)) from None

    def __eq__(self, other: object) -> bool:
        """Whether the other asks for the same.

        What a spec cannot hold (arrays, functions) is compared by its digest, and by
        itself where it has none.
        """
        if type(self) is not type(other):
            return NotImplemented
        assert isinstance(other, Spec)
        if self._values() != other._values():
            return False
        told = getattr(self, "digest", None) is not None
        return told or self.__pydantic_private__ == other.__pydantic_private__

    def __hash__(self) -> int:
        return hash((type(self), hashable(self._values())))

    def _values(self) -> list[Any]:
        return [getattr(self, name) for name in type(self).model_fields]

    @field_validator("*", mode="before")
    @classmethod
    def _number_as_one(cls, given: Any, info: ValidationInfo) -> Any:
        """Refuse `true` and `"4"` for a number, which pydantic would read as one."""
        if isinstance(given, bool | str) and info.field_name is not None:
            kind = _number_kind(cls.model_fields[info.field_name].annotation)
            if kind is not None:
                raise InvalidValueError(
                    f"must be a {kind}, got {shortened(given)}",
                    argument=info.field_name,
                )
        return given


def _number_kind(annotation: Any) -> str | None:
    """Return which number an annotation wants; None where it may be something else."""
    if get_origin(annotation) is Annotated:
        return _number_kind(get_args(annotation)[0])
    kinds = [
        each for each in get_args(annotation) or (annotation,) if each is not _NONE
    ]
    if len(kinds) == 1 and kinds[0] is not annotation:
        return _number_kind(kinds[0])
    return {(int,): "whole number", (float,): "number"}.get(tuple(kinds))


def one_line(error: ValidationError, model: type[BaseModel]) -> InitlabError:
    """Return pydantic's first complaint as the sentence that a user can act on."""
    first = error.errors()[0]
    argument, *within = map(str, first["loc"] or [""])
    if first["type"] == "extra_forbidden" and not within:
        return UnknownNameError(
            f"argument of {model.__name__}", argument, model.model_fields
        )
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InitlabError):
        return cause.anew()
    message = first["msg"].replace("Input should be", "must be")
    message = message[0].lower() + message[1:]
    if first["type"] == "int_from_float":
        message = "must be a whole number"
    # A limit of 1e100 has 101 digits.
    message = re.sub(r"\d{16,}", lambda digits: f"{float(digits[0]):g}", message)
    if first["type"] == "too_short":
        message = f"needs at least {first['ctx']['min_length']}"
    return InvalidValueError(
        f"{message}, got {shortened(first['input'])}",
        argument=argument,
        part="".join(f".{each}" for each in within),
    )


def shortened(value: object, limit: int = 60) -> str:
    """Return the value's repr, cut so that a message stays one line."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def known_name(kind: str, known: Collection[str]) -> Callable[[object], object]:
    """Return a validator that offers the nearest name for one that no table holds."""

    def check(name: object) -> object:
        if not isinstance(name, str) or name not in known:
            raise UnknownNameError(kind, str(name), known)
        return name

    return check


def digest(*arrays: Any) -> str:
    """Return a fingerprint, so that a spec tells other arrays from these.

    Of shape, type and values; lists, tables and objects by their values. Stores know
    their data by it: what it is of data that are in use must not change.
    """
    found = hashlib.sha256()
    for given in arrays:
        array = _plain(given)
        dtype = getattr(array, "dtype", "object")
        found.update(repr((getattr(array, "shape", None), str(dtype))).encode())
        if str(dtype) == "object" or getattr(dtype, "hasobject", False):
            # Its bytes would be addresses.
            values = array.tolist() if hasattr(array, "tolist") else array
            found.update(_text(values).encode())
        else:
            found.update(array.tobytes())
    return found.hexdigest()


def is_array(value: object) -> bool:
    """Whether it is an array, a table or a tensor, and no number with their methods."""
    return hasattr(value, "__array__") and hasattr(value, "__setitem__")


def _plain(given: Any) -> Any:
    """Return a table's or a tensor's values, and anything else as it is."""
    if hasattr(given, "to_numpy"):
        return given.to_numpy()
    if is_array(given) and not hasattr(given, "tobytes"):  # PyTorch's
        return (given.detach() if hasattr(given, "detach") else given).__array__()
    return given


def _text(value: Any) -> str:
    """Return the repr, but arrays by their fingerprints: a repr cuts them short."""
    if is_array(value):
        return f"array {digest(value)}"
    if not any(map(_holds_arrays, _parts(value))):
        return repr(value)
    return f"{type(value).__name__}({', '.join(map(_text, _parts(value)))})"


def _holds_arrays(value: Any) -> bool:
    return is_array(value) or any(map(_holds_arrays, _parts(value)))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    return value if isinstance(value, list | tuple) else ()
