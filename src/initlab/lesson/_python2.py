"""Source of Python 2 days, as far as public notebooks of the lesson use it."""

import ast
import re
import warnings

_STATEMENT = re.compile(r"^(?P<indent>\s*)print(?P<rest>\s+[^\s(=].*|\s*\(.*\)\s*%.*)$")


def with_print_calls(lines: list[str]) -> list[str]:
    """Return a cell with Python 2's print statements as calls, if that mends it.

    Example:
        >>> with_print_calls(['print "cost", 3'])
        ['print("cost", 3)']
    """
    if compiles("".join(lines)):
        return lines
    mended = [_with_print_call(line) for line in lines]
    return mended if compiles("".join(mended)) else lines


def _with_print_call(line: str) -> str:
    body = line.rstrip("\n")
    found = _STATEMENT.match(body)
    if found is None:
        return line
    values = found["rest"].strip()
    end = ', end=" "' if values.endswith(",") else ""
    ending = line[len(body) :]
    return f"{found['indent']}print({values.rstrip(',')}{end}){ending}"


def compiles(source: str) -> bool:
    """Say whether this is Python as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cell itself will say so
        try:
            ast.parse(source)
        except (SyntaxError, ValueError):
            return False
    return True
