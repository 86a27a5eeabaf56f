"""What an initialization did, parameter by parameter."""

import math
from dataclasses import dataclass
from typing import Literal

Action = Literal["drawn", "set", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialized:
    """What was done to one parameter.

    Attributes:
        parameter: Its name.
        action: `"drawn"` from a law, `"set"` to a value, or `"kept"` as it was.
        init: The law, or the value; "" where it was kept.
        std: Standard deviation by the law; nan where there is none.
        reason: Why, in a few words.
        aliases: Other names of the same tensor.
    """

    parameter: str
    action: Action
    init: str = ""
    std: float = math.nan
    reason: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialization:
    """What was done to every parameter of a model; printed, a table.

    Attributes:
        rows: One for every parameter, ties once.
        seed: The root seed.
        dry_run: Whether nothing was written.
        notes: What holds for the whole model.
    """

    rows: tuple[Initialized, ...]
    seed: int
    dry_run: bool = False
    notes: tuple[str, ...] = ()

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the parameters that were drawn.

        Example:
            >>> row = Initialized(parameter="0.weight", action="drawn")
            >>> Initialization(rows=(row,), seed=0).drawn
            ('0.weight',)
        """
        return tuple(row.parameter for row in self.rows if row.action == "drawn")

    def of(self, parameter: str) -> Initialized:
        """The row of a parameter, by any of its names.

        Raises:
            KeyError: If there is none.

        Example:
            >>> row = Initialized(parameter="0.weight", action="drawn")
            >>> Initialization(rows=(row,), seed=0).of("0.weight").action
            'drawn'
        """
        for row in self.rows:
            if parameter == row.parameter or parameter in row.aliases:
                return row
        raise KeyError(parameter)

    def __str__(self) -> str:
        """Return a table, a line per parameter."""
        cells = [
            (
                row.parameter,
                row.action,
                row.init,
                "" if math.isnan(row.std) else f"{row.std:.4g}",
                row.reason,
            )
            for row in self.rows
        ]
        head = ("parameter", "done", "init", "std", "why")
        widths = [max(len(line[i]) for line in (head, *cells)) for i in range(5)]
        lines = [
            "  ".join(
                cell.ljust(width) for cell, width in zip(line, widths, strict=True)
            ).rstrip()
            for line in (head, *cells)
        ]
        if self.dry_run:
            lines.insert(0, "dry run: nothing was written")
        return "\n".join([*lines, *self.notes])
