"""Numbers that a notebook printed, found in its outputs in any language."""

import re
from dataclasses import dataclass, field
from typing import Any

from initlab.lesson._notebook import source_of

# Letters of other scripts may touch a number: 第0次.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf|nan)"
    r"(?![A-Za-z0-9_])"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_CALLED_WITH = re.compile(r"""initiali[sz]ation\s*=\s*['"]([^'"]+)['"]""")
_LONGEST = 200_000  # characters of one output that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as printed.

    Attributes:
        text: As it stands there; its digits say how far it can be compared.
    """

    text: str

    @property
    def value(self) -> float:
        """The number itself."""
        return float(self.text)


@dataclass(slots=True, kw_only=True)
class CostRun:
    """One training as a cell printed it.

    Attributes:
        cell: Which code cell, from 1.
        costs: By iteration.
        accuracies: What followed: of the training set, of the test set.
        called: What the cell passes as `initialization=`, if that can be told.
    """

    cell: int
    costs: dict[int, Number] = field(default_factory=dict)
    accuracies: list[Number] = field(default_factory=list)
    called: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """All that a notebook printed and that can be compared.

    Attributes:
        runs: Its trainings, in their order.
        numbers: Every number of each code cell, by the cell's number.
    """

    runs: tuple[CostRun, ...]
    numbers: dict[int, tuple[float, ...]]


def printed_in(notebook: Any) -> Printed:
    """Return the numbers in a notebook's outputs."""
    runs: list[CostRun] = []
    numbers: dict[int, tuple[float, ...]] = {}
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells, start=1):
        text = _text_of(cell)
        numbers[number] = tuple(float(each) for each in _NUMBER.findall(text))
        before = len(runs)
        _add_runs(text, number, runs)
        called = _CALLED_WITH.findall(_without_definitions(source_of(cell)))
        for run, name in zip(runs[before:], called, strict=False):
            run.called = name
    return Printed(runs=tuple(runs), numbers=numbers)


def _without_definitions(source: str) -> str:
    """Return the source without lines of `def`, whose defaults call nothing."""
    return "\n".join(
        line for line in source.splitlines() if not line.lstrip().startswith("def ")
    )


def _text_of(cell: Any) -> str:
    parts = []
    for output in cell.get("outputs", ()):
        if output.get("output_type") == "stream" and output.get("name") != "stderr":
            parts.append(_joined(output.get("text", "")))
        elif output.get("output_type") in ("execute_result", "display_data"):
            parts.append(_joined(output.get("data", {}).get("text/plain", "")))
    return _COLOURS.sub("", "\n".join(parts))[:_LONGEST]


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _add_runs(text: str, cell: int, runs: list[CostRun]) -> None:
    """Add the trainings of one output, and accuracies to the training before them."""
    for line in text.splitlines():
        numbers = [Number(text=found) for found in _NUMBER.findall(line)]
        pair = _iteration_and_cost(numbers)
        if pair is not None and pair[0] == 0:
            runs.append(CostRun(cell=cell))
        if pair is not None:
            if runs and runs[-1].cell == cell and pair[0] not in runs[-1].costs:
                runs[-1].costs[pair[0]] = pair[1]
        elif runs and len(runs[-1].accuracies) < 2:
            accuracy = _accuracy(line, numbers)
            if accuracy is not None:
                runs[-1].accuracies.append(accuracy)
    # One line alone is no training.
    runs[:] = [run for run in runs if run.cell != cell or len(run.costs) > 1]


def _iteration_and_cost(numbers: list[Number]) -> tuple[int, Number] | None:
    if len(numbers) != 2 or not numbers[0].text.isdigit() or numbers[1].text.isdigit():
        return None
    return int(numbers[0].text), numbers[1]


def _accuracy(line: str, numbers: list[Number]) -> Number | None:
    if len(numbers) != 1 or "[" in line or "." not in numbers[0].text:
        return None
    share = numbers[0].value / (100 if "%" in line else 1)
    return Number(text=repr(share)) if 0 <= share <= 1 else None
