"""A study as a value: everything that decides its numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from initlab.errors import InvalidValueError
from initlab.spec._base import Spec
from initlab.spec._grid import GRID_FIELDS, Cell, Grid, as_grid, cells_of, dimension
from initlab.spec._inits import Init
from initlab.spec._names import (
    LossName,
    OptimizerName,
    PrecisionName,
    RecordName,
    SeedingName,
)
from initlab.spec._network import MLP
from initlab.spec._problem import Problem

RECORD_EVERY = 100

_InitsInput = str | list[str | Init] | dict[str, str | Init]
# Editors see which keys a grid may have, and that each has a list.
_GridInput = dict[Literal[GRID_FIELDS], list[Any]] | dict[str, Any]  # type: ignore[valid-type]

_LESSON_INITS = ("zeros", "normal(std=10)", "he_normal")


def as_inits(given: Any) -> Any:
    """Return inits for whatever a user may list: one, several, or labels with inits."""
    if isinstance(given, Mapping) and "name" not in given:
        return tuple(Init.labelled(label, each) for label, each in given.items())
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        given = (given,)
    return tuple(Init.of(each) for each in given)


def refuse_equal_labels(inits: tuple[Init, ...]) -> None:
    """Make sure that tables and figures can tell inits apart."""
    for label, count in Counter(init.label for init in inits).items():
        if count > 1:
            raise InvalidValueError(
                f"{label!r} is listed twice; give one a label=, as in "
                f"zeros(label=second)",
                argument="inits",
            )


def refuse_seeds_beyond(seeding: str, seed: int, members: int) -> None:
    """Make sure that legacy seeding has a seed for every member."""
    if seeding == "legacy" and seed + members > 2**32:
        raise InvalidValueError(
            f"legacy seeds end at {2**32 - 1}, got {seed} for {members} members",
            argument="seed",
        )


class Study(Spec):
    """One network on one problem, trained from several starting points.

    The defaults are the classic lesson: circles, 2-10-5-1, ReLU, full-batch gradient
    descent, learning rate 0.01, 15,000 steps, legacy seed 3.

    Attributes:
        network: The network that every member trains.
        problem: What it learns: a name, a file, `(X, y)`, or a `Problem`.
        inits: Where it starts: names, `Init` values, or functions `(shape, rng)`; or
            a mapping from labels to such.
        members: Networks per init, each with its own streams.
        loss: None: chosen from the targets.
        optimizer: Gradient descent, momentum (.9) or Adam (.9, .999, 1e-8).
        learning_rate: Step size.
        batch_size: Examples per step; None: all of them.
        precision: Of the training's arithmetic: float64 or float32.
        steps: Parameter updates.
        record_every: Steps between records; None: 100.
        stop_at_loss: A member ends at the first record whose training loss is this or
            less, and later records repeat that one; None: it takes all steps.
        seed: Root seed. With legacy seeding, member k has seed `seed + k`.
        seeding: `"legacy"` draws layer after layer from one `RandomState`, as the
            lesson does; `"stream"` gives every weight tensor a stream of its own.
        record: What is kept besides losses: `"scores"` (accuracy, or R squared),
            `"layers"` (summaries of every layer), `"pictures"` (predictions and
            histograms of member 0; not in a grid), `"weights"` (final ones). None:
            the first three, in a grid the first two.
        shard_members: Members of one init in one cell that are trained, stored and
            resumed together. Changes no number.
        grid: Fields with lists of values; each becomes a dimension of the dataset,
            named by the last part of the field's name.

    Example:
        >>> Study(inits=["zeros", "he_normal"], steps=100).inits[1].name
        'he_normal'
        >>> study = Study(grid={"network.depth": [1, 2, 4], "learning_rate": [0.1, 1]})
        >>> study.dimensions, len(list(study.cells()))
        (('depth', 'learning_rate'), 6)
    """

    network: MLP = MLP()
    problem: Annotated[
        Problem, BeforeValidator(Problem.of, json_schema_input_type=str | Problem)
    ] = Problem()
    inits: Annotated[
        tuple[Init, ...],
        BeforeValidator(as_inits, json_schema_input_type=_InitsInput),
        Field(min_length=1),
    ] = Field(default=_LESSON_INITS, validate_default=True)
    members: Annotated[PositiveInt, Field(le=10**7)] = 1
    loss: LossName | None = None
    optimizer: OptimizerName = "gradient_descent"
    learning_rate: PositiveFloat = 0.01
    batch_size: PositiveInt | None = None
    precision: PrecisionName = "float64"
    steps: Annotated[PositiveInt, Field(le=10**9)] = 15_000
    record_every: PositiveInt | None = None
    stop_at_loss: PositiveFloat | None = None
    seed: Annotated[NonNegativeInt, Field(lt=2**32)] = 3
    seeding: SeedingName = "legacy"
    record: tuple[RecordName, ...] | None = None
    shard_members: Annotated[PositiveInt, Field(le=10**6)] = 64
    grid: Annotated[
        Grid | None, BeforeValidator(as_grid, json_schema_input_type=_GridInput | None)
    ] = None

    @model_validator(mode="after")
    def _consistent(self) -> "Study":
        refuse_equal_labels(self.inits)
        refuse_seeds_beyond(self.seeding, self.seed, self.members)
        sizes = {"network.depth", "network.width"} & (self.grid or {}).keys()
        if self.network.widths is not None and sizes:
            raise InvalidValueError(
                f"{min(sizes)} cannot vary where network.widths is given; "
                "leave one out",
                argument="grid",
            )
        if self.grid and self.record and "pictures" in self.record:
            raise InvalidValueError(
                "pictures are of a study without a grid; leave them out",
                argument="record",
            )
        return self

    def cells(self) -> Iterator[Cell]:
        """Yield the plain study of every cell; one where there is no grid."""
        return cells_of(self)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the grid adds to the dataset, in its order."""
        return tuple(map(dimension, self.grid or ()))

    @property
    def recorded(self) -> tuple[str, ...]:
        """What is kept besides losses."""
        if self.record is not None:
            return self.record
        return ("scores", "layers") if self.grid else ("scores", "layers", "pictures")

    @property
    def recorded_steps(self) -> tuple[int, ...]:
        """The steps at which losses are recorded: 0, every so many, and the last."""
        every = self.record_every or RECORD_EVERY
        return (*range(0, self.steps, every), self.steps)
