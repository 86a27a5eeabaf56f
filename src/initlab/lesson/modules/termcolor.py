"""The one function that copies of the lesson's test modules take from termcolor."""

_CODES = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}


def colored(text: object, color: str | None = None, *_: object, **__: object) -> str:
    r"""Return the text in a terminal's colour.

    Example:
        >>> colored("passed", "green")
        '\x1b[32mpassed\x1b[0m'
    """
    code = _CODES.get(color or "")
    return f"\033[{code}m{text}\033[0m" if code else str(text)
