"""The exceptions that initlab raises on purpose, and how their messages are built."""

import difflib
from collections.abc import Iterable

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


class InitlabError(Exception):
    """Base of every deliberate exception: one line that a user can act on."""


class InvalidValueError(InitlabError, ValueError):
    """An argument has a value that is not allowed."""


class UnknownNameError(InitlabError, KeyError):
    """A name was looked up that no table holds.

    Example:
        >>> print(UnknownNameError("init", "he_norml", ["he_normal", "zeros"]))
        unknown init 'he_norml'. Did you mean 'he_normal'? Known: he_normal, zeros.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        # Pickle makes it anew of these, as in a pool's way back to who asked.
        super().__init__(kind, name, known)
        near = _nearest(name.lower(), known)
        hint = f" Did you mean {near!r}?" if near else ""
        self.message = f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}."

    def __str__(self) -> str:
        """Return the message; KeyError would show what it was made of."""
        return self.message


def _nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that was meant: as others call it, misspelled, or begun."""
    if _ELSEWHERE.get(name) in known:
        return _ELSEWHERE[name]
    begun = [each for each in known if name and each.startswith(name)]
    near = difflib.get_close_matches(name, known, n=1) or begun
    return near[0] if near else None


class DataError(InitlabError, ValueError):
    """A problem's data cannot be used: which file, where in it, and why."""


class MissingExtraError(InitlabError, ImportError):
    """An optional dependency is needed and not installed."""


class OutputError(InitlabError, OSError):
    """Results cannot be written where they were asked for."""


class ExecutionError(InitlabError, RuntimeError):
    """Workers that were to run a study are gone; what they returned is kept."""
