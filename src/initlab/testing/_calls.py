"""Calling an initializer of anybody, and reading what it returns.

No framework is imported: tensors are read through what they offer themselves.
"""

import inspect
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from initlab.rng import stream
from initlab.testing._layers import Array, Target, shape_of
from initlab.testing._report import BrokenPropertyError, exactly

Initializer: TypeAlias = Callable[..., Any]

# Names under which initializers take their source of random numbers.
RNG_NAMES = ("rng", "generator", "random_state", "random_generator", "source")

# The spacing of numbers around 1.
EPSILON = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23}


@dataclass(slots=True)
class Sampler:
    """Draws weights from an initializer, each stream of random numbers by its name.

    Attributes:
        function: The initializer.
        seed: Root of all streams.
        dtype: The type that every result must have; None: any real floating type.
        accepts: Which targets the initializer is for; None: all.
        precision: Type of the results so far: `"float64"`, `"bfloat16"`, ...
        record: What each stream gave first: (path, target, checksum, first numbers).
    """

    function: Initializer
    seed: int
    dtype: str | None = None
    accepts: Callable[[Any], bool] | None = None
    precision: str = "float64"
    takes_rng: bool = field(init=False)
    record: list[tuple[tuple[Any, ...], Target, int, Array]] = field(
        default_factory=list
    )
    _keyword: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.takes_rng, self._keyword = _how_to_call(self.function)

    def stream(self, *path: str | int) -> np.random.Generator:
        """The source of random numbers of that name."""
        return stream(self.seed, "testing", *path)

    def call(self, target: Target, rng: np.random.Generator) -> Any:
        """What the initializer returns, as it is."""
        if not self.takes_rng:
            return self.function(target)
        if self._keyword is None:
            return self.function(target, rng)
        return self.function(target, **{self._keyword: rng})

    def weight(self, target: Target, rng: np.random.Generator) -> Array:
        """One draw as a new array of float64, its type and shape checked."""
        result = as_array(self.call(target, rng))
        self.precision = _checked_type(result, target, self.dtype)
        if result.shape != shape_of(target):
            raise BrokenPropertyError(
                exactly(
                    "shape",
                    False,
                    where=target,
                    measured=result.size,
                    expected=np.prod(shape_of(target)),
                    detail=f"the array has shape {result.shape}",
                )
            )
        weight = np.array(result, dtype=np.float64)
        finite = np.count_nonzero(np.isfinite(weight))
        if finite < weight.size:
            raise BrokenPropertyError(
                exactly(
                    "finite weights",
                    False,
                    where=target,
                    measured=finite,
                    expected=weight.size,
                    detail="numbers that are finite",
                )
            )
        return weight

    def draws(self, target: Target, count: int, *path: str | int) -> Array:
        """That many draws after each other from one stream: `(draw, *shape)`."""
        rng = self.stream(*path)
        drawn = np.empty((count, *shape_of(target)))
        for index in range(count):
            drawn[index] = self.weight(target, rng)
        self.record.append(
            (path, target, checksum(drawn[0]), drawn[0].reshape(-1)[:32].copy())
        )
        return drawn

    @property
    def epsilon(self) -> float:
        """The spacing of the results' numbers around 1."""
        return EPSILON.get(self.precision, 2.0**-52)


def checksum(weight: Array) -> int:
    """A number that changes with the weights.

    Example:
        >>> checksum(np.zeros(2)) == checksum(np.ones(2))
        False
    """
    return zlib.crc32(np.ascontiguousarray(weight).tobytes())


def as_array(result: Any) -> Any:
    """The result as a NumPy array of whatever type it has.

    PyTorch's tensors refuse where they are bfloat16, or part of a graph; they are
    asked to leave it, and to become float32 with the type remembered.

    Example:
        >>> as_array([[1.0, 2.0]]).shape
        (1, 2)
    """
    if hasattr(result, "detach"):
        result = result.detach().cpu()
        if str(getattr(result, "dtype", "")) == "torch.bfloat16":
            return np.asarray(result.float()).view(_Bfloat16)
    if hasattr(result, "__array__") or not hasattr(result, "__dlpack__"):
        return np.asarray(result)
    return np.from_dlpack(result)


class _Bfloat16(np.ndarray):
    """An array of float32 whose numbers are bfloat16."""


def _checked_type(array: Any, target: Target, wanted: str | None) -> str:
    name = "bfloat16" if isinstance(array, _Bfloat16) else str(array.dtype)
    real = name == "bfloat16" or array.dtype.kind == "f"
    if not real or name != (wanted or name):
        raise BrokenPropertyError(
            exactly(
                "type",
                False,
                where=target,
                measured=array.dtype.itemsize,
                detail=f"got {name} instead of {wanted or 'real floating numbers'}",
            )
        )
    return name


def _how_to_call(function: Initializer) -> tuple[bool, str | None]:
    """Whether it takes a source of random numbers, and by which keyword if by one."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # built-in functions may have none
        return False, None
    for parameter in parameters:
        if parameter.name in RNG_NAMES:
            positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
            return True, None if positional else parameter.name
    # Any other word is the source only where the function cannot do without.
    required = [
        parameter
        for parameter in parameters
        if parameter.default is inspect.Parameter.empty
        and parameter.kind
        in (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
    ]
    return len(required) > 1, None
