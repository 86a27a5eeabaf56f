"""The commands, and what becomes of errors: one line, exit code 2, no traceback."""

import gc
import re
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from typer.exceptions import TyperException

from initlab.cli._catalog import list_inits, show_init
from initlab.cli._check import check
from initlab.cli._compare import compare
from initlab.cli._info import info
from initlab.cli._lesson import app as lesson
from initlab.cli._page import page
from initlab.cli._power import power
from initlab.cli._run import merge, run
from initlab.cli._signal import signal
from initlab.cli._spelling import spell
from initlab.cli._stopped import StoppedError
from initlab.cli._store import export, report, status
from initlab.errors import InitlabError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

app = typer.Typer(
    name="initlab",
    help="From which starting weights will a network train, how fast, and why?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("compare")(compare)
app.command("signal")(signal)
app.command("run")(run)
app.command("status")(status)
app.command("report")(report)
app.command("export")(export)
app.command("merge")(merge)
app.command("check")(check)
app.command("power")(power)
app.command("list")(list_inits)
app.command("show")(show_init)
app.command("page")(page)
app.command("info")(info)
app.add_typer(lesson)


@app.callback()
def initlab() -> None:
    """From which starting weights will a network train, how fast, and why?"""


USAGE, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 it could not be done, 130 Ctrl-C.

    An error that nobody foresaw, which Python itself would end with status 1, is no
    finding of `initlab check`: it ends with 2, too, below its traceback.
    """
    spell()
    try:
        code = app(args=arguments, prog_name="initlab", standalone_mode=False) or 0
        if code == INTERRUPTED:  # Typer turns Ctrl-C into a status of its own
            raise KeyboardInterrupt
    except InitlabError as error:
        code = _failed(as_typed(error))
    except TyperException as error:
        code = _failed(as_refused(error))
    except StoppedError as stopped:
        print(f"initlab: {stopped}", file=sys.stderr)
        code = stopped.code
    except (KeyboardInterrupt, typer.Abort):
        print("initlab: stopped", file=sys.stderr)
        code = INTERRUPTED
    except MemoryError:
        code = _failed(
            "this study needs more memory than there is: fewer units, "
            "examples, members or records"
        )
    except UnicodeEncodeError as error:  # the bytes of a file name need not be text
        near = error.object[max(0, error.start - 20) : error.end + 20]
        code = _failed(f"a name is not text in UTF-8, near {near!r}; rename it")
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left
        code = 1
    except OSError as error:
        code = _failed(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        traceback.print_exc()
        code = _failed(
            f"{type(error).__name__}: {error}; nobody foresaw this: please report it "
            "with the lines above"
        )
    # Nothing is to be freed any more; looking for it took .6 to 1.3 s after a training.
    gc.freeze()
    sys.exit(code)


def _failed(message: str) -> int:
    line = " ".join(message.split())
    print(f"initlab: {line}", file=sys.stderr)
    return USAGE


def as_refused(error: TyperException) -> str:
    """Return the command line's own complaint about a value in our form."""
    from pydantic import ValidationError

    cause = error.__cause__
    if not isinstance(error, typer.BadParameter) or error.param is None:
        return error.format_message()
    if not isinstance(cause, ValidationError):
        return error.format_message()
    first = cause.errors()[0]
    option, typed = error.param.opts[0], str(first["input"])
    return f"{option}: must be {_allowed(first)}, got {_arrived(typed)}"


def _allowed(complaint: "ErrorDetails") -> str:
    match complaint["type"]:
        case "int_parsing" | "int_parsing_size" | "int_from_float":
            return "a whole number"
        case "greater_than_equal":
            return f"at least {complaint['ctx']['ge']}"
    allowed = complaint["msg"].removeprefix("Input should be ")
    return allowed.partition(", unable to parse")[0].replace("a valid ", "a ")


def _arrived(typed: str) -> str:
    """Return what was typed, and how to write it, if that is known."""
    if re.fullmatch(r"[-+]?\d+,\d+", typed):
        return f"{typed!r}; write {typed.replace(',', '.')}"
    if re.fullmatch(r"\d+(\.\d+)?[eE]\+?\d\d?", typed) and float(typed).is_integer():
        return f"{typed!r}; write {float(typed):.0f}"
    is_number = re.fullmatch(r"[-+]?\d+(\.\d+)?", typed)
    return typed if is_number else repr(typed[:60])


# Where an option is not called as the argument.
_OPTIONS = {"inits": "init", "network": "widths", "name": "problem"}
# Of commands other than compare.
_OTHERS = frozenset({"scheduler", "shard", "table", "target"})


def as_typed(error: InitlabError) -> str:
    """Return the error's line, with arguments as the options that they came from.

    Example:
        >>> from initlab.errors import InvalidValueError
        >>> as_typed(InvalidValueError("at most 3, got 4", argument="batch_size"))
        '--batch-size: at most 3, got 4'
    """
    from initlab.cli._compare import OPTIONS

    argument = error.argument or ""
    name = _OPTIONS.get(argument, argument)
    where = f"{_option(name)}: " if name in OPTIONS | _OTHERS else error.where
    fix = f"; {error.fix}" if error.fix else ""
    if error.use is not None:
        other, values = error.use
        fix += f"; use {_option(other)} {' or '.join(values)}"
    return f"{where}{error.message}{fix}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
