"""What a terminal cannot show, spelled with what it can; and the command as typed."""

import codecs
import shlex
import sys
import unicodedata
from types import MappingProxyType
from typing import TextIO

_HANDLER = "initlab.spelled"
_SPELLINGS = MappingProxyType(
    {
        "\N{SUPERSCRIPT TWO}": "^2",
        "\N{EN DASH}": "-",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{ALMOST EQUAL TO}": "~",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
    }
)
# Where Python's strings keep those bytes of a file name that are not text.
_BYTES = range(0xDC80, 0xDD00)


def spell() -> None:
    """Let stdout and stderr spell out whatever their encoding lacks, from now on.

    R² of a regression is in the table of a terminal in ASCII, too, and a Greek label in
    one in Latin-1: without this, a training ends in a traceback.
    """
    codecs.register_error(_HANDLER, _spelled)
    for stream in (sys.stdout, sys.stderr):
        strict = getattr(stream, "errors", None) == "strict" or not _is_utf8(stream)
        if strict and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def _is_utf8(stream: TextIO) -> bool:
    return str(getattr(stream, "encoding", "")).lower().replace("-", "") == "utf8"


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    return "".join(map(_ascii, failed)), error.end


def _ascii(character: str) -> str:
    """Return a character in ASCII: a spelling, without its accent, or its number."""
    if ord(character) in _BYTES:
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character in _SPELLINGS:
        return _SPELLINGS[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore")
    return plain.decode() or character.encode("ascii", "backslashreplace").decode()


def command_typed() -> str:
    r"""Return the command to type again; file names that are not text are quoted.

    Example:
        >>> _quoted("a b"), _quoted("d\udcff.csv")
        ("'a b'", "$'d\\xff.csv'")
    """
    return " ".join(map(_quoted, ["initlab", *sys.argv[1:]]))


def _quoted(word: str) -> str:
    if not any(ord(character) in _BYTES for character in word):
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    within = "".join(_ascii(c) if ord(c) in _BYTES else c for c in escaped)
    return f"$'{within}'"
