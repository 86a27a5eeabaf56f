"""Problems as values: a name or a file, and how examples are made and split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    model_validator,
)

from initlab.errors import DataError, InvalidValueError, UnknownNameError
from initlab.spec._base import Spec, digest, shortened
from initlab.spec._names import PROBLEM_NAMES

FILE_SUFFIXES = (".npz", ".csv", ".h5", ".hdf5")

# The name of data that was handed in as arrays, and that no spec can hold.
ARRAYS = "arrays"


class Problem(Spec):
    """What the networks learn.

    Attributes:
        name: One of `initlab.spec.PROBLEM_NAMES`, the path of a `.npz`, `.csv` or
            `.h5` file, or `"arrays"` for data handed in as `(X, y)`.
        noise: Standard deviation of what is added to generated features; None is
            the generator's own (0.05 for circles and moons, as in the lesson).
        examples: Training examples to generate (300 by default), or to keep of a
            data set or file (all by default).
        test_fraction: Share of all examples that is held out for testing.
        standardize: Shift and scale every feature to mean 0 and variance 1 over the
            training examples.
        target: Column of a CSV file that holds the targets; the last by default.
        seed: Seed of the generated or shuffled data; the test data have `seed + 1`.
        digest: SHA-256 of arrays that were handed in.

    Example:
        >>> Problem.of("moons").name
        'moons'
    """

    name: str = "circles"
    noise: NonNegativeFloat | None = None
    examples: PositiveInt | None = None
    test_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.25
    standardize: bool = False
    target: str | None = None
    seed: NonNegativeInt = 1
    digest: str | None = None

    _arrays: tuple[Any, Any] | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _name_is_known(self) -> "Problem":
        if not self.name.isascii() and _is_no_text(self.name):
            raise InvalidValueError(
                f"problem {shortened(self.name)}: the name of the file is not text in "
                "UTF-8, and a study is; rename the file"
            )
        if self.name == ARRAYS or self.name in PROBLEM_NAMES:
            return self
        if self.is_file:
            return self
        if "/" in self.name or "." in self.name:
            raise InvalidValueError(
                f"problem {shortened(self.name)}: a file ends in "
                f"{', '.join(FILE_SUFFIXES)}"
            )
        raise UnknownNameError("problem", self.name, PROBLEM_NAMES)

    @classmethod
    def of(cls, given: object) -> "Problem":
        """Return a problem for a name, a path, a mapping, or `(X, y)`."""
        if isinstance(given, Problem):
            return given
        if isinstance(given, str | Path):
            return cls(name=str(given))
        if isinstance(given, Mapping):
            return cls(**given)
        if isinstance(given, tuple | list) and len(given) == 2:
            return cls.of_arrays(given[0], given[1])
        raise InvalidValueError(
            "give a name, a file, or (X, y) with X of shape "
            f"(example, feature), got {shortened(given)}",
            argument="problem",
        )

    @classmethod
    def of_arrays(cls, X: Any, y: Any, **choices: Any) -> "Problem":
        """Return the problem that these arrays pose.

        Args:
            X: Inputs `(example, feature)`: whatever `numpy.asarray` takes.
            y: Targets `(example,)` or `(example, output)`, as well.
            **choices: `test_fraction`, `standardize`, `examples`, `seed`.
        """
        X, y = _as_stored(X, "X"), _as_stored(y, "y")
        problem = cls(name=ARRAYS, digest=digest(X, y), **choices)
        problem._arrays = (X, y)
        return problem

    @property
    def arrays(self) -> tuple[Any, Any] | None:
        """The arrays that were handed in, if they were in this process."""
        return self._arrays

    @property
    def is_file(self) -> bool:
        """Whether the name is a path."""
        return self.name.lower().endswith(FILE_SUFFIXES)


def _is_no_text(name: str) -> bool:
    """Return whether it holds bytes of a file's name that no text stands for."""
    return any("\ud800" <= character <= "\udfff" for character in name)


def _as_stored(given: Any, name: str) -> Any:
    """Return an array of another library, as a tensor is, as NumPy's."""
    known = ("tobytes", "to_numpy")
    if not hasattr(given, "__array__") or any(hasattr(given, each) for each in known):
        return given
    try:
        return given.__array__()
    except Exception as error:  # whatever the other library raises
        why = " ".join(str(error).split())[:100]
        raise DataError(f"problem (X, y): {name} is not an array ({why})") from None
