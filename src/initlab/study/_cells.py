"""Every cell of a study made ready to train: fitted to its data, and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from initlab import engine as engines
from initlab import problems
from initlab.errors import InitlabError, InvalidValueError
from initlab.spec import Study, digest, grid_label
from initlab.study._fit import examples_of, fitted
from initlab.study._start import Given, Starts, with_explicit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyCell:
    """One cell of the grid, with all that training needs.

    Attributes:
        index: Its position along the grid's dimensions.
        study: Without a grid, its widths and loss filled in.
        data: Shared by cells of equal problems.
        examples: The same as an engine wants it.
        first_starts: Already drawn from, of a study without a grid.
    """

    index: tuple[int, ...]
    study: Study
    data: problems.Data
    examples: engines.Examples
    first_starts: Starts | None = None

    @property
    def starts(self) -> Starts:
        """Every network's starting weights, drawn when they are asked for."""
        return self.first_starts or Starts(self.study, {})


def ready_cells(study: Study, given: Given) -> tuple[Study, tuple[ReadyCell, ...]]:
    """Return the study as it is recorded, and its cells.

    Raises:
        InvalidValueError: If a cell does not fit its data; the message names it.
    """
    if study.grid and given:
        raise InvalidValueError(
            "explicit weights are of one network; leave out the grid",
            argument="weights",
        )
    ready = _Ready()
    if not study.grid:
        cell = ready.cell(study, ())
        whole, explicit = with_explicit(cell.study, given)
        starts = Starts(whole, explicit)
        return whole, (replace(cell, study=whole, first_starts=starts),)
    cells = []
    for point in study.cells():
        try:
            cells.append(ready.cell(point.study, point.index))
        except InitlabError as error:
            where = _where(study, point.index)
            raise error.within("grid", f", {where}") from None
    _refuse_undrawable(study, cells)
    return study, tuple(cells)


class _Ready:
    """Cells made ready; equal problems are loaded once."""

    def __init__(self) -> None:
        self._data: dict[str, problems.Data] = {}
        self._examples: dict[tuple[str, str | None, int], engines.Examples] = {}

    def cell(self, study: Study, index: tuple[int, ...]) -> ReadyCell:
        key = f"{study.problem.model_dump_json()} {study.loss}"
        if key not in self._data:
            self._data[key] = problems.load(study.problem, loss=study.loss)
        data = self._data[key]
        study = fitted(study, data)
        assert study.network.widths is not None
        needed = (key, study.loss, study.network.widths[-1])
        if needed not in self._examples:
            self._examples[needed] = examples_of(study, data)
        return ReadyCell(
            index=index, study=study, data=data, examples=self._examples[needed]
        )


def _where(study: Study, index: tuple[int, ...]) -> str:
    """Return a cell as a user would write it."""
    grid: Mapping[str, Any] = study.grid or {}
    return ", ".join(
        f"{name}={grid_label(values[at])}"
        for (name, values), at in zip(grid.items(), index, strict=True)
    )


def _refuse_undrawable(study: Study, cells: list[ReadyCell]) -> None:
    """Draw once for every size, so that nothing is trained before all can be."""
    tried = set()
    for cell in cells:
        widths = cell.study.network.widths
        if widths in tried:
            continue
        tried.add(widths)
        try:
            Starts(cell.study.model_copy(update={"members": 1}), {})
        except InitlabError as error:
            where = _where(study, cell.index)
            raise error.within("grid", f", {where}") from None


def data_digests(cells: tuple[ReadyCell, ...]) -> dict[str, str]:
    """Return a fingerprint of every problem's data by the problem's name."""
    found: dict[str, str] = {}
    for cell in cells:
        name = str(grid_label(cell.study.problem))
        if name not in found:
            data = cell.data
            found[name] = digest(data.train_x, data.train_y, data.test_x, data.test_y)
    return found
