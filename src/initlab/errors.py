"""The exceptions that initlab raises on purpose, and how their messages are built."""

import difflib
from collections.abc import Iterable
from typing import Any

# What others call what we have.
_ELSEWHERE = {
    "bce": "binary_cross_entropy",
    "cross_entropy": "softmax_cross_entropy",
    "gd": "gradient_descent",
    "l2": "mean_squared_error",
    "linear": "identity",
    "mse": "mean_squared_error",
    "sgd": "gradient_descent",
    "swish": "silu",
}

# The attributes that make an error, all that another one takes over from it.
_ABOUT = ("message", "argument", "part", "fix", "use")


class InitlabError(Exception):
    """Base of every deliberate exception: one line that a user can act on.

    Attributes:
        message: What is allowed, what arrived, and mostly how to mend it.
        argument: What it is about: a parameter of Python's, or an option as typed
            (`--json`); None if it is about no single one.
        part: Which part of the argument, as it is written behind the name: `.0`.
        fix: How to mend it, where the message does not say so already.
        use: Another argument that mends it, and the values of it that do.

    Example:
        >>> error = InvalidValueError("at most 8, got 9", argument="batch_size")
        >>> print(error)
        batch_size: at most 8, got 9
        >>> error.argument
        'batch_size'
    """

    def __init__(
        self,
        message: str,
        *,
        argument: str | None = None,
        part: str = "",
        fix: str = "",
        use: tuple[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.argument = argument
        self.part = part
        self.fix = fix
        self.use = use

    @property
    def where(self) -> str:
        """What the line begins with: the argument, and which part of it."""
        return f"{self.argument}{self.part}: " if self.argument else ""

    def within(self, argument: str, part: str = "") -> "InvalidValueError":
        """Return it as an error about an argument that holds what this one is about."""
        message = f"{self.where}{self.message}"
        return self.anew(message=message, argument=argument, part=part)

    def anew(self, **changed: Any) -> "InvalidValueError":
        """Return it as an InvalidValueError, with some attributes changed."""
        kept = {name: getattr(self, name) for name in _ABOUT}
        return InvalidValueError(**(kept | changed))

    def __str__(self) -> str:
        """Return the line; for a KeyError, Python itself would show a repr."""
        mended = f"; {self.fix}" if self.fix else ""
        if self.use is not None:
            name, values = self.use
            mended += f"; use {name}={' or '.join(map(repr, values))}"
        return f"{self.where}{self.message}{mended}"


class InvalidValueError(InitlabError, ValueError):
    """An argument has a value that is not allowed."""


class UnknownNameError(InitlabError, KeyError):
    """A name was looked up that no table holds.

    Attributes:
        kind: What the table is of: `init`.
        name: What was looked up.
        known: What the table holds, in order.

    Example:
        >>> print(UnknownNameError("init", "he_norml", ["he_normal", "zeros"]))
        unknown init 'he_norml'. Did you mean 'he_normal'? Known: he_normal, zeros.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str],
        *,
        argument: str | None = None,
    ) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = nearest(name.lower(), self.known)
        hint = f" Did you mean {near!r}?" if near else ""
        all_known = ", ".join(self.known)
        super().__init__(
            f"unknown {kind} {name!r}.{hint} Known: {all_known}.", argument=argument
        )
        # Pickle makes it anew of these, as in a pool's way back to who asked.
        self.args = kind, name, self.known


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that was meant: as others call it, misspelled, or begun."""
    if _ELSEWHERE.get(name) in known:
        return _ELSEWHERE[name]
    cased = [each for each in known if each.lower() == name]
    begun = [each for each in known if name and each.startswith(name)]
    near = cased or difflib.get_close_matches(name, known, n=1) or begun
    return near[0] if near else None


class DataError(InitlabError, ValueError):
    """A problem's data cannot be used: which file, where in it, and why."""


class MissingExtraError(InitlabError, ImportError):
    """An optional dependency is needed and not installed."""


class OutputError(InitlabError, OSError):
    """Results cannot be written where they were asked for."""


class ExecutionError(InitlabError, RuntimeError):
    """Workers that were to run a study are gone; what they returned is kept."""
