"""A measurement of signals at initialization as a value."""

from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from initlab.errors import InvalidValueError
from initlab.spec._base import Spec
from initlab.spec._inits import Init
from initlab.spec._names import PrecisionName, SeedingName
from initlab.spec._network import MLP
from initlab.spec._problem import Problem
from initlab.spec._study import as_inits, refuse_equal_labels, refuse_seeds_beyond


class SignalStudy(Spec):
    """One network at initialization, from several inits, forward and back.

    Attributes:
        network: With its widths; the last layer's outputs are pre-activations.
        inits: Where it starts, as in a `Study`.
        problem: Whose training inputs are sent through; None: standard normal ones.
        examples: Random inputs, where there is no problem; at least two, so that
            there are cosines.
        members: Networks per init, each with its own streams.
        precision: Of the arithmetic.
        seed: Root seed.
        seeding: As in a `Study`.

    Example:
        >>> SignalStudy(network=MLP(widths=(4, 4, 1)), inits="he_normal").members
        10
    """

    network: MLP
    inits: Annotated[tuple[Init, ...], BeforeValidator(as_inits), Field(min_length=1)]
    problem: Annotated[Problem, BeforeValidator(Problem.of)] | None = None
    examples: Annotated[PositiveInt, Field(ge=2, le=10**7)] = 200
    members: Annotated[PositiveInt, Field(le=10**7)] = 10
    precision: PrecisionName = "float64"
    seed: Annotated[NonNegativeInt, Field(lt=2**32)] = 3
    seeding: SeedingName = "stream"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.network.widths is None:
            raise InvalidValueError(
                "a signal needs a network with its widths, as in "
                "MLP(widths=(100, 100, 100, 1))",
                argument="widths",
            )
        if self.network.batch_norm:
            raise InvalidValueError(
                "signals are measured and predicted without it; leave it out",
                argument="batch_norm",
            )
        refuse_equal_labels(self.inits)
        refuse_seeds_beyond(self.seeding, self.seed, self.members)
        return self
