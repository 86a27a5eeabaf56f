"""CSV files: numbers in columns, and one column of targets.

Read row by row into float64, because a list of all cells as text takes many times the
memory. Whether there is a header is decided first, so that messages can count rows.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, nan
from pathlib import Path
from typing import TextIO

import numpy as np

from initlab.errors import DataError, UnknownNameError
from initlab.problems._data import Table, clipped, listed
from initlab.problems._targets import target_array

# In the order of trial: a file parted by the first two may hold commas in its cells.
DELIMITERS = (";", "\t", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the columns, which one is the target, and whether line 1 holds them."""

    names: tuple[str, ...]
    target: int
    has_header: bool
    notes: tuple[str, ...] = ()


def read_csv(path: Path, label: str, target: str | None) -> Table:
    """Return the table of a CSV file.

    Args:
        path: An existing file, in UTF-8, parted by commas, semicolons or tabs.
        label: How messages name it.
        target: Name of the column that holds the targets; the last if None.

    Raises:
        DataError: If a row is ragged, a cell is empty or no number, or no row is there.
        UnknownNameError: If no column is named `target`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns = _columns(file, label, target)
            return _table(file, columns, label)
    except UnicodeDecodeError:
        raise DataError(f"{label}: not UTF-8 text; save it as UTF-8") from None
    except (OSError, MemoryError) as error:
        raise DataError(f"{label}: cannot be read ({clipped(str(error))})") from None


def _rows(file: TextIO, label: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of every row that is not blank."""
    file.seek(0)
    line = 0
    try:
        first = next((text for text in iter(file.readline, "") if text.strip()), "")
        delimiter = next(
            (d for d in DELIMITERS if len(next(csv.reader([first], delimiter=d))) > 1),
            ",",
        )
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        for cells in reader:
            line = reader.line_num
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DataError(f"{label}: after line {line}: {error}") from None


def _columns(file: TextIO, label: str, target: str | None) -> Columns:
    """Return what the columns are called; a first line with text is a header."""
    rows = _rows(file, label)
    line, first = next(rows, (0, []))
    if not first:
        raise DataError(f"{label}: no rows")
    if first[0].startswith("#"):
        _, second = next(rows, (0, []))
        if len(first) == 1 or len(second) != len(first):
            _refuse_remark(f"{label}: line {line}", first)
        first[0] = first[0].removeprefix("#").strip()  # as numpy.savetxt writes names
        rows = _rows(file, label)
        next(rows)
    names = tuple(
        clipped(cell, 200) or f"column {i + 1}" for i, cell in enumerate(first)
    )
    is_text = [bool(cell) and not _is_number(cell) for cell in first]
    has_header = target in names or any(is_text[:-1])
    if is_text[-1] and not has_header:
        # A name above numbers, or the first of the class names?
        others = [_is_number(cells[-1]) for _, cells in rows]
        has_header = bool(others) and all(others)
    notes: tuple[str, ...] = ()
    if not has_header and all(map(_is_number, first)):
        has_header, notes = _names_or_numbers(first, rows, -1)
    if not has_header:
        names = tuple(f"column {i + 1}" for i in range(len(first)))
    if len(names) < 2:
        raise DataError(f"{label}: no feature columns beside the targets {names[0]!r}")
    if has_header and not all(is_text):
        notes = (f"line 1 is read as names of columns: {listed(names)}",)
    index = _target_index(names, label, target)
    return Columns(names=names, target=index, has_header=has_header, notes=notes)


def _refuse_remark(where: str, cells: list[str]) -> None:
    """Refuse a line that is a remark, and would be read as names or as numbers."""
    raise DataError(
        f"{where} is a remark, {clipped(', '.join(cells))!r}; take remarks out, and "
        "write names of columns without #"
    )


def _names_or_numbers(
    first: list[str], rows: Iterator[tuple[int, list[str]]], at: int
) -> tuple[bool, tuple[str, ...]]:
    """Return whether a first line of numbers is a header, and what is to be said of it.

    Years count up, as do the names that pandas gives; and of a header nothing in the
    column of targets is ever found again.

    Args:
        first: Its cells.
        rows: What is below it.
        at: The column of targets.
    """
    targets: set[str | float] = set()
    examples = 0
    for _, cells in rows:
        targets.add(_number(cells[at]) if _is_number(cells[at]) else cells[at])
        examples += 1
    never_again = 2 * len(targets) <= examples and _number(first[at]) not in targets
    values = [_number(cell) for cell in first]
    counts_up = len(values) > 2 and all(
        after == before + 1 for before, after in pairwise(values)
    )
    if never_again and counts_up:
        return True, ()
    if not never_again and not counts_up:
        return False, ()
    return False, (
        f"line 1 is read as an example, since it holds numbers: {listed(first)}; if "
        "it names the columns, write a word into it",
    )


def _target_index(names: tuple[str, ...], label: str, target: str | None) -> int:
    """Return the index of the column of targets."""
    if target is None:
        return len(names) - 1
    if target not in names:
        raise UnknownNameError(f"target column of {label}", target, names)
    if names.count(target) > 1:
        raise DataError(f"{label}: {names.count(target)} columns are named {target!r}")
    return names.index(target)


def _table(file: TextIO, columns: Columns, label: str) -> Table:
    """Return the rows below the header."""
    rows = _rows(file, label)
    if columns.has_header:
        next(rows)
    features, targets = [], []
    for number, (line, cells) in enumerate(rows, start=1):
        where = f"{label}: row {number} (line {line})"
        if len(cells) != len(columns.names):
            if cells[0].startswith("#"):
                _refuse_remark(where, cells)
            raise DataError(
                f"{where} has {len(cells)} cells and not {len(columns.names)}"
            )
        features.append(_numbers(cells, columns, where))
        targets.append(cells[columns.target])
    if not features:
        raise DataError(f"{label}: no rows below the names of the columns")
    names = list(columns.names)
    name = f"column {names.pop(columns.target)!r}"
    return Table(
        label=label,
        x=np.stack(features),
        y=target_array(_typed(targets), label, name, rows=len(targets)),
        feature_names=tuple(names),
        notes=columns.notes,
    )


def _numbers(cells: list[str], columns: Columns, where: str) -> np.ndarray:
    """Return a row's features, or refuse the row for its first bad cell."""
    inputs = cells[: columns.target] + cells[columns.target + 1 :]
    try:
        values = [_number(cell) for cell in inputs]
    except ValueError:
        values = [nan]
    # Among class names, "nan" would pass for one of them.
    has_target = cells[columns.target].lower() not in ("", "nan")
    if not has_target or not all(map(isfinite, values)):
        raise DataError(f"{where}, {_complaint(cells, columns)}")
    return np.array(values)


def _complaint(cells: list[str], columns: Columns) -> str:
    """Return the first column of a bad row that is not as it should be, and why."""
    is_bad = [
        cell.lower() in ("", "nan")
        or (i != columns.target and not (_is_number(cell) and isfinite(_number(cell))))
        for i, cell in enumerate(cells)
    ]
    first = is_bad.index(True)
    cell = clipped(cells[first])
    why = f"{cell!r} is not a finite number" if cell else "empty cell"
    return f"column {columns.names[first]!r}: {why}{_remedy(cells[first])}"


def _remedy(cell: str) -> str:
    """Return what makes a number of a cell, if it is known."""
    if re.fullmatch(r"[-+]?\d+,\d+(e[-+]?\d+)?", cell, flags=re.IGNORECASE):
        return f"; write a point for the comma: {cell.replace(',', '.')}"
    if re.fullmatch(r"[-+]?\d+(_\d+)+(\.\d+)?", cell):
        return f"; write it without _: {cell.replace('_', '')}"
    if cell and not _is_number(cell):
        return "; features are numbers: write numbers for the text, or drop the column"
    return ""


def _typed(targets: list[str]) -> list[int] | list[float] | list[str]:
    """Return the targets as integers if all are, else as floats, else as they are."""
    if any("_" in target for target in targets):
        return targets
    for kind in (int, float):
        try:
            return [kind(target) for target in targets]
        except ValueError:
            continue
    return targets


def _number(cell: str) -> float:
    """Return the number of a cell; 1_000 is one to Python, and to nobody else.

    Raises:
        ValueError: If it is none.
    """
    if "_" in cell:
        raise ValueError
    return float(cell)


def _is_number(cell: str) -> bool:
    """Return whether the cell reads as a number, nan and inf included."""
    try:
        _number(cell)
    except ValueError:
        return False
    return True
