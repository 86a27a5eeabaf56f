"""What calls of an initializer do besides returning, and to each other."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from initlab.lesson.grader._findings import Finding, call_of, shown
from initlab.lesson.grader._one_call import Outcome
from initlab.lesson.grader._wire import Array


def side_effects(function: str, outcomes: Sequence[Outcome]) -> Iterable[Finding]:
    """Yield what a call does besides returning."""
    seen = set()
    for outcome in outcomes:
        call = call_of(function, outcome.dims)
        reply = outcome.reply
        after = reply.arguments[0] if reply.arguments else outcome.dims
        if after != outcome.dims and "argument" not in seen:
            seen.add("argument")
            yield Finding(
                check="argument",
                expected=f"{call} leaves its argument as it was",
                got=f"layers_dims became {shown(after)}",
                likely="it changes (mutates) layers_dims in place: no append, pop, "
                "sort or item assignment on an argument",
            )
        if reply.printed.strip() and "prints" not in seen:
            seen.add("prints")
            yield Finding(
                check="prints",
                expected=f"{call} prints nothing",
                got=f"it printed {shown(reply.printed.strip())}",
                likely="a print is left inside the function",
            )
        for first, second in reply.shared:
            if "shared" not in seen:
                seen.add("shared")
                yield _shared(call, first, second)
    yield from _repeated(function, outcomes)


def _shared(call: str, first: str, second: str) -> Finding:
    if second == "an earlier call":
        return Finding(
            check="shared",
            expected=f"{call} makes new arrays in every call",
            got=f"{first} is the memory of an earlier call's result",
            likely=f"{first} is the same array object in both calls: it is kept in a "
            "global, a default argument or a cache; training one network would change "
            "the other",
        )
    return Finding(
        check="shared",
        expected=f"{call} makes an array of its own for every name",
        got=f"{first} and {second} are the same memory",
        likely=f"{first} and {second} share one array object: updating one changes the "
        "other",
    )


def _repeated(function: str, outcomes: Sequence[Outcome]) -> Iterable[Finding]:
    """Yield a finding if the same call gives other numbers the second time."""
    first = next((each for each in outcomes), None)
    again = [each for each in outcomes[1:] if first and each.dims == first.dims]
    if first is None or not again:
        return
    one, two = first.reply.result, again[0].reply.result
    if not isinstance(one, Mapping) or not isinstance(two, Mapping):
        return
    for name in one:
        a, b = one[name], two.get(name)
        if not isinstance(a, Array) or not isinstance(b, Array):
            continue
        if not np.array_equal(a.values, b.values, equal_nan=True):
            yield Finding(
                check="repeatable",
                expected=f"{call_of(function, first.dims)} gives the same numbers in "
                "every call",
                got=f"{name} differs between two calls",
                likely="the seed is not set inside the function, or it depends on what "
                "other calls left behind (global state)",
            )
            return
