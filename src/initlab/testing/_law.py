"""What an initializer promises, as a value that the checks can judge it by."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from initlab import catalog
from initlab.errors import InvalidValueError
from initlab.spec import Init
from initlab.testing._layers import Target, taps
from initlab.testing._shapes import Density, density

Distribution: TypeAlias = Literal[
    "normal",
    "uniform",
    "truncated_normal",
    "sparse_normal",
    "orthogonal",
    "delta_orthogonal",
    "mirrored_orthogonal",
    "fixed",
]
INDEPENDENT: tuple[Distribution, ...] = ("normal", "uniform", "truncated_normal")
Preserved: TypeAlias = Literal["fan_in", "fan_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """The law of an initializer: only what is stated is judged.

    Attributes:
        std: Standard deviation of the entries: a number, or a function of what the
            initializer is called with. None: follows from `mode` and `gain`; without
            a mode it is unknown.
        mean: Expected value of an entry; None where it is not to be judged.
        distribution: `"normal"`, `"uniform"`, `"truncated_normal"` (independent
            entries), `"orthogonal"` (Haar, every singular value the same),
            `"fixed"` (nothing random), or made of these: `"sparse_normal"` (as many
            zeros in every column), `"delta_orthogonal"` (at a kernel's centre, zero
            elsewhere), `"mirrored_orthogonal"` (units or inputs in opposite pairs).
            None: unknown.
        bound: Where a truncated normal is cut, in its standard deviations before the
            cut.
        excess_kurtosis: Kurtosis minus 3; None: follows from the distribution.
        full_rank: Whether every matrix has the highest rank that its shape allows.
        distinct_units: Whether no unit is zero or a copy of another.
        mode: The fan whose variance is preserved: `"fan_in"` forward, `"fan_out"`
            backward. The layer's true fan is meant, whatever its kind.
        gain: Square root of the preserved variance, where there is a mode.
        per_part: Whether groups and packed matrices are orthogonal each on its own.

    Example:
        >>> he = Law(distribution="normal", mode="fan_in", gain=2**0.5)
        >>> he.std_at((10, 2))
        1.0
    """

    std: float | int | Callable[[Any], Any] | None = None
    mean: float | int | None = 0.0
    distribution: Distribution | None = None
    bound: float | int = 2.0
    excess_kurtosis: float | int | Callable[[Any], Any] | None = None
    full_rank: bool = True
    distinct_units: bool = True
    mode: Preserved | None = None
    gain: float | int = 1.0
    per_part: bool = True

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("distribution", self.distribution, get_args(Distribution)),
            ("mode", self.mode, get_args(Preserved)),
        ):
            if value is not None and value not in allowed:
                raise InvalidValueError(
                    f"{name}: give one of {', '.join(allowed)} or None, got {value!r}"
                )

    @property
    def random(self) -> bool:
        """Whether two draws differ."""
        return self.distribution != "fixed"

    @property
    def independent(self) -> bool:
        """Whether the entries are independent of each other and alike."""
        return self.distribution in INDEPENDENT

    @property
    def orthogonal(self) -> bool:
        """Whether the entries are those of orthogonal matrices, and of zeros."""
        return str(self.distribution).endswith("orthogonal")

    @property
    def density(self) -> Density:
        """The distribution of independent entries."""
        assert self.distribution is not None
        return density(self.distribution, float(self.bound))

    def std_at(self, target: Target) -> float | None:
        """The standard deviation there, or None if the law does not state it."""
        if callable(self.std):
            return float(self.std(target))
        if self.std is None and self.mode is not None:
            forward, backward = taps(target)
            fan = forward if self.mode == "fan_in" else backward
            return float(self.gain / math.sqrt(fan))
        return None if self.std is None else float(self.std)

    def kurtosis_at(self, target: Target) -> float | None:
        """The excess kurtosis there, or None if the law does not state it."""
        if callable(self.excess_kurtosis):
            return float(self.excess_kurtosis(target))
        if self.excess_kurtosis is None and self.independent:
            return self.density.excess_kurtosis
        stated = self.excess_kurtosis
        return None if stated is None else float(stated)

    def variance_at(self, target: Target, *, backward: bool) -> float | None:
        """The factor by which a layer of these weights multiplies a white signal.

        Args:
            target: The layer.
            backward: Whether gradients are meant, which go from outputs to inputs.
        """
        if self.mode == ("fan_out" if backward else "fan_in"):
            return float(self.gain) ** 2
        std = self.std_at(target)
        # With another mean a few sums of the signal decide, and 5 % need 1,000 draws.
        if std is None or self.mean != 0:
            return None
        return std**2 * taps(target)[backward]


def law_of(init: str | Init, target: Target = (5, 3)) -> Law:
    """The law that the catalog states for an initializer.

    Args:
        init: A name as in `initlab list`, with parameters if wanted, such as
            `"variance_scaling(distribution=uniform)"`.
        target: The shape or layer that is meant, where it changes the distribution:
            frameworks draw embeddings in another way.

    Raises:
        UnknownNameError: If the catalog has no such initializer or parameter.

    Example:
        >>> law_of("he_normal").mode
        'fan_in'
        >>> law_of("orthogonal(gain=2)").distribution
        'orthogonal'
    """
    init = Init.parse(init) if isinstance(init, str) else init
    entry = catalog.get(init.name)
    given = {**entry.parameters, **init.parameters}
    own = given.get("dialect", "initlab") == "initlab"
    # A framework's fans are not always those of the layer.
    kept = own and given.get("mode") in get_args(Preserved)
    mode: Any = given["mode"] if kept else None

    def std(target: Any) -> float:
        return float(entry.std(target, **init.parameters)) * abs(init.scale)

    kurtosis = None
    if entry.excess_kurtosis is not None:
        stated = entry.excess_kurtosis

        def kurtosis(target: Any) -> float:
            return float(stated(target, **init.parameters))

    bound = float(given.get("bound", 2.0))
    distribution: Any = entry.distribution
    if distribution in INDEPENDENT and kurtosis is not None:
        distribution = _by_kurtosis(distribution, kurtosis(target), bound)
    return Law(
        std=std,
        mean=_mean(given, init.scale, fixed=distribution == "fixed"),
        distribution=distribution,
        bound=bound,
        excess_kurtosis=kurtosis,
        full_rank=entry.full_rank,
        distinct_units=entry.distinct_units,
        mode=mode,
        gain=std((5, 3)) * math.sqrt(catalog.fan((5, 3), mode)) if mode else 1.0,
        per_part=own,
    )


def _by_kurtosis(declared: Distribution, kurtosis: float, bound: float) -> Distribution:
    """The distribution that parameters make of the declared one.

    Entries declare a distribution for their defaults; their kurtosis follows the
    parameters, and no two of the three distributions share one.
    """
    for name in (declared, *INDEPENDENT):
        its = density(name, bound).excess_kurtosis
        if math.isclose(its, kurtosis, abs_tol=1e-9):
            return name
    return declared


def _mean(parameters: dict[str, Any], scale: float, *, fixed: bool) -> float | None:
    if "low" in parameters:
        return float(scale * (parameters["low"] + parameters["high"]) / 2)
    if "mean" in parameters:
        return float(scale * parameters["mean"])
    return None if fixed else 0.0
