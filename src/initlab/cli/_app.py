"""The commands, and what becomes of errors: one line, exit code 2, no traceback."""

import gc
import re
import sys
from collections.abc import Sequence
from itertools import pairwise

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
    """Run the command line and exit: 0 done, 2 an error of the user's, 130 Ctrl-C."""
    spell()
    try:
        code = app(args=arguments, prog_name="initlab", standalone_mode=False) or 0
        if code == INTERRUPTED:  # Typer turns Ctrl-C into a status of its own
            raise KeyboardInterrupt
    except InitlabError as error:
        code = _failed(_in_options(as_typed(str(error))))
    except TyperException as error:
        typed = sys.argv[1:] if arguments is None else arguments
        code = _failed(as_refused(error.format_message(), typed))
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
    except UnicodeEncodeError as error:  # bytes of a name that are no text
        near = error.object[max(0, error.start - 20) : error.end + 20]
        code = _failed(f"a name is not text in UTF-8, near {near!r}; rename it")
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left
        code = 1
    except OSError as error:
        code = _failed(f"{error.filename or 'output'}: {error.strerror or error}")
    # Nothing is to be freed any more; looking for it took .6 to 1.3 s after a training.
    gc.freeze()
    sys.exit(code)


def _failed(message: str) -> int:
    line = " ".join(message.split())
    print(f"initlab: {line}", file=sys.stderr)
    return USAGE


_INVALID = re.compile(
    r"^Invalid value for '(?P<option>[^']+)'.*?: Input should be "
    r"(?P<allowed>.+?)(, unable to parse.*)?$"
)


def as_refused(message: str, typed: Sequence[str] = ()) -> str:
    """Return the command line's own complaint about a value in our form.

    Args:
        message: The complaint.
        typed: All that was typed: the complaint leaves out what arrived.

    Example:
        >>> as_refused("Invalid value for '--depth': Input should be greater than or "
        ...            "equal to 1", ["signal", "--depth", "0"])
        '--depth: must be at least 1, got 0'
    """
    found = _INVALID.match(message)
    if found is None:
        return message
    allowed = found["allowed"].replace("greater than or equal to", "at least")
    allowed = allowed.replace("a valid integer", "a whole number")
    allowed = allowed.replace("a valid ", "a ")
    return f"{found['option']}: must be {allowed}{_arrived(found['option'], typed)}"


def _arrived(option: str, typed: Sequence[str]) -> str:
    """Return what stands behind the option, and how to write it, if that is known."""
    given = [word[len(option) + 1 :] for word in typed if word.startswith(f"{option}=")]
    given += [
        value for word, value in pairwise(typed) if word == option and value != option
    ]
    if len(set(given)) != 1:
        return ""
    value = given[0]
    if re.fullmatch(r"[-+]?\d+,\d+", value):
        return f", got {value!r}; write {value.replace(',', '.')}"
    if re.fullmatch(r"\d+(\.\d+)?[eE]\+?\d\d?", value) and float(value).is_integer():
        return f", got {value!r}; write {float(value):.0f}"
    is_number = re.fullmatch(r"[-+]?\d+(\.\d+)?", value)
    return f", got {value if is_number else repr(value[:60])}"


def _in_options(message: str) -> str:
    """Return the message with an argument of Python that it advises as an option."""
    return re.sub(r"\bengine='(\w+)' or '(\w+)'", r"--engine \1 or \2", message)


_FIELD = re.compile(r"^([a-z_0-9]+)(\.\d+)?:")
_OPTIONS = {"inits": "init", "network": "widths", "name": "problem"}
# Of commands other than compare.
_OTHERS = frozenset({"scheduler", "shard", "table", "target"})


def as_typed(message: str) -> str:
    """Return the message with the field that it begins with as its option.

    Example:
        >>> as_typed("learning_rate: must be greater than 0, got -1.0")
        '--learning-rate: must be greater than 0, got -1.0'
    """
    from initlab.cli._compare import OPTIONS

    found = _FIELD.match(message)
    if found is None:
        return message
    name = _OPTIONS.get(found[1], found[1])
    if name not in OPTIONS | _OTHERS:
        return message
    return f"--{name.replace('_', '-')}:{message[found.end() :]}"
