"""A learner's file as Python statements; which of them its functions need.

A submission trains and plots at its top level. Grading its functions needs none of
that: only the statements that bind what the functions use, in their order.
"""

import ast
import dis
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from initlab.errors import DataError
from initlab.lesson._notebook import read, source_of
from initlab.lesson._python2 import with_print_calls

# Cell magics whose body is Python all the same.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python")
_FILE = "submission"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxSlip:
    """A part of the program that is no Python.

    Attributes:
        where: The cell or file.
        message: What Python says, with the line.
    """

    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A submission as text.

    Attributes:
        path: The file.
        chunks: Its cells, or the one script; each compiles.
        slips: Cells that do not.
    """

    path: Path
    chunks: tuple[str, ...]
    slips: tuple[SyntaxSlip, ...]

    @property
    def text(self) -> str:
        """All of it, what does not compile left out."""
        return "\n".join(self.chunks)


def program_of(path: Path) -> Program:
    """Return the Python in a script or notebook, magics left out.

    Raises:
        DataError: If the file cannot be read, or holds no code.
    """
    notebook = read(path)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    chunks, slips = [], []
    for number, cell in enumerate(cells, start=1):
        source = _plain(source_of(cell))
        where = f"cell {number}" if path.suffix == ".ipynb" else path.name
        try:
            _parsed(source)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            at = "" if line is None else f"line {line}: "
            slips.append(
                SyntaxSlip(where=where, message=f"{at}{getattr(error, 'msg', error)}")
            )
        else:
            chunks.append(source)
    if not chunks and not slips:
        raise DataError(f"{path}: holds no code")
    return Program(path=path, chunks=tuple(chunks), slips=tuple(slips))


def _plain(source: str) -> str:
    """Return a cell without magics and shell lines."""
    source = source.lstrip("\ufeff").replace("\r\n", "\n")
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        source = rest if first.split()[0] in _PYTHON_MAGICS else ""
    try:
        _parsed(source)
    except (SyntaxError, ValueError):
        lines = [
            re.sub(r"^(\s*)[%!].*$", r"\1pass", line)
            for line in source.splitlines(keepends=True)
        ]
        return "".join(with_print_calls(lines))
    return source


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename=_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of the top level.

    Attributes:
        code: Ready to be executed.
        binds, uses: Names of the top level that it sets, and that it or a function
            within it looks up.
        is_import: Those are always executed.
    """

    code: CodeType
    binds: frozenset[str]
    uses: frozenset[str]
    is_import: bool


def statements_of(chunks: Iterable[str]) -> list[Statement]:
    """Return the top level's statements, in their order."""
    statements = []
    for number, chunk in enumerate(chunks):
        # The file's name tells tracebacks of the learner's code from others.
        name = f"<{_FILE} {number}>"
        for node in _parsed(chunk).body:
            module = ast.Module(body=[node], type_ignores=[])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = compile(module, name, "exec")
            statements.append(
                Statement(
                    code=code,
                    binds=frozenset(_names(code, "STORE_")) | _changed(node),
                    uses=frozenset(_names(code, "LOAD_")),
                    is_import=isinstance(node, ast.Import | ast.ImportFrom),
                )
            )
    return statements


def needed(statements: Sequence[Statement], targets: Iterable[str]) -> list[Statement]:
    """Return the statements that the targets rest on, in their order."""
    wanted = set(targets)
    chosen: set[int] = set()
    grown = True
    while grown:
        grown = False
        for number, statement in enumerate(statements):
            if number not in chosen and (
                statement.is_import or statement.binds & wanted
            ):
                chosen.add(number)
                wanted |= statement.uses
                grown = True
    return [statements[number] for number in sorted(chosen)]


def _names(code: CodeType, prefix: str) -> Iterator[str]:
    """Yield the names of the top level that code stores or loads, functions' too."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in (f"{prefix}NAME", f"{prefix}GLOBAL"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if prefix == "LOAD_":
                yield from _names(constant, prefix)
            else:
                yield from (
                    each.argval
                    for each in dis.get_instructions(constant)
                    if each.opname == "STORE_GLOBAL"
                )


def _changed(node: ast.stmt) -> frozenset[str]:
    """Return whose inside a statement changes: `table["a"] = 1`, `names.append(1)`."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        targets = [node.value.func]
    names = set()
    for target in targets:
        if not isinstance(target, ast.Subscript | ast.Attribute):
            continue
        base: ast.expr = target
        while isinstance(base, ast.Subscript | ast.Attribute):
            base = base.value
        if isinstance(base, ast.Name):
            names.add(base.id)
    return frozenset(names)


def endless_loop(chunks: Iterable[str]) -> int | None:
    """Return the line of a top-level loop that nothing ends, if there is one.

    Such statements are not executed; but a file that never ends is no solution.
    """
    for chunk in chunks:
        for node in _parsed(chunk).body:
            if (
                isinstance(node, ast.While)
                and isinstance(node.test, ast.Constant)
                and node.test.value
                and not any(
                    _ends(part) for each in node.body for part in ast.walk(each)
                )
            ):
                return node.lineno
    return None


def _ends(node: ast.AST) -> bool:
    """Say whether a loop may end here: by break, by an exception, by leaving Python."""
    name = getattr(node, "id", getattr(node, "attr", ""))
    return isinstance(node, ast.Break | ast.Raise) or name in ("exit", "quit", "_exit")
