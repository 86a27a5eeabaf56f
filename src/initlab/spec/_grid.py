"""Grids: which fields of a study become dimensions, and every cell as a plain study."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from initlab.errors import InitlabError, InvalidValueError, UnknownNameError
from initlab.spec._base import shortened
from initlab.spec._network import MLP
from initlab.spec._problem import Problem
from initlab.spec._read_only import ReadOnly

if TYPE_CHECKING:
    from initlab.spec._study import Study

# Every field that can be a dimension; the dimension has the last part of its name.
# `loss` is none: losses of different kinds cannot share one variable.
GRID_FIELDS: tuple[str, ...] = (
    "network.depth",
    "network.width",
    "network.widths",
    "network.activation",
    "network.batch_norm",
    "problem",
    "problem.noise",
    "problem.examples",
    "problem.standardize",
    "problem.seed",
    "optimizer",
    "learning_rate",
    "batch_size",
    "precision",
)
MOST_CELLS = 10**6

Grid = ReadOnly[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One point of a grid.

    Attributes:
        index: Its position along every dimension of the grid.
        study: The study without a grid that is run there.
    """

    index: tuple[int, ...]
    study: "Study"


def dimension(field: str) -> str:
    """Return a field's dimension in the dataset: the last part of its name.

    Example:
        >>> dimension("network.depth")
        'depth'
    """
    return field.rpartition(".")[2]


def label(value: Any) -> str | int | float | bool:
    """Return how a value is written along its dimension.

    Example:
        >>> label((2, 10, 1)), label(0.1), label(Problem(name="moons", noise=0.2))
        ('2-10-1', 0.1, 'moons(noise=0.2)')
    """
    if isinstance(value, Problem):
        given = value.model_dump(exclude_defaults=True, exclude={"name", "digest"})
        shown = ", ".join(f"{name}={each}" for name, each in given.items())
        return f"{value.name}({shown})" if shown else value.name
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    return value


def as_grid(given: Any) -> Any:
    """Return the grid that a user may give, its values checked as the field's own.

    Keys may be dotted or nested, as TOML makes them of `network.depth = [1, 2]`.

    Raises:
        UnknownNameError: If a key is no field that can be a dimension.
        InvalidValueError: If there is no field, or values are not allowed, equal, or
            too many.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InvalidValueError(
            f"fields with lists of values, as in learning_rate = [0.01, 0.1], "
            f"got {shortened(given)}",
            argument="grid",
        )
    if not given:
        raise InvalidValueError(
            "at least one field with a list of values, got none; leave [grid] "
            "out of a study without one",
            argument="grid",
        )
    grid = {name: _values(name, listed) for name, listed in _flat(given)}
    sizes = [len(values) for values in grid.values()]
    if math.prod(sizes) > MOST_CELLS:
        raise InvalidValueError(
            f"{' x '.join(map(str, sizes))} = {math.prod(sizes):,} cells, "
            f"at most {MOST_CELLS:,} are allowed",
            argument="grid",
        )
    if "network.widths" in grid and grid.keys() & {"network.depth", "network.width"}:
        raise InvalidValueError(
            "network.widths says all of a network's size; list it, or "
            "network.depth and network.width",
            argument="grid",
        )
    return grid


def _flat(given: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _values(name: str, listed: Any) -> tuple[Any, ...]:
    if name not in GRID_FIELDS:
        raise UnknownNameError("field of grid", name, GRID_FIELDS)
    if isinstance(listed, str) or not hasattr(listed, "__iter__"):
        raise InvalidValueError(
            f"a list of values, got {shortened(listed)}; put a single "
            "one outside the grid",
            argument="grid",
            part=f".{name}",
        )
    values = tuple(_value(name, each) for each in listed)
    if not values:
        raise InvalidValueError(
            "at least one value, got none", argument="grid", part=f".{name}"
        )
    for each, count in Counter(map(label, values)).items():
        if count > 1:
            raise InvalidValueError(
                f"{each!r} is listed twice", argument="grid", part=f".{name}"
            )
    return values


def _value(name: str, given: Any) -> Any:
    """Return one value as its field would read it."""
    from initlab.spec._study import Study

    if given is None:
        raise InvalidValueError(
            "None cannot be listed", argument="grid", part=f".{name}"
        )
    room, leaf = name.rpartition(".")[0], dimension(name)
    model = {"network": MLP, "problem": Problem}.get(room, Study)
    try:
        return getattr(model(**{leaf: given}), leaf)
    except InitlabError as error:
        if (error.argument, error.part) == (leaf, ""):  # the grid's key says it
            raise error.anew(argument="grid", part=f".{name}") from None
        raise error.within("grid", f".{name}") from None


def cells_of(study: "Study") -> Iterator[Cell]:
    """Yield every cell, the last dimension fastest; a study without a grid is one."""
    grid = study.grid or ReadOnly({})
    plain = study.model_copy(update={"grid": None})
    for index in itertools.product(*(range(len(values)) for values in grid.values())):
        here = plain
        for (name, values), position in zip(grid.items(), index, strict=True):
            here = _with(here, name, values[position])
        yield Cell(index=index, study=here)


def _with(study: "Study", name: str, value: Any) -> "Study":
    room, leaf = name.rpartition(".")[0], dimension(name)
    if not room:
        return study.model_copy(update={leaf: value})
    inner = getattr(study, room).model_copy(update={leaf: value})
    return study.model_copy(update={room: inner})
