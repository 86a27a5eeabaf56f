"""One call of an initializer: whether it returns what it should, and what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from initlab.lesson.grader._expected import INITIALIZATIONS, Parameters
from initlab.lesson.grader._findings import Finding, call_of, joined, shown
from initlab.lesson.grader._session import Reply
from initlab.lesson.grader._slips import SAME, explain, explain_zeros
from initlab.lesson.grader._wire import LESSON_SEED, Array, Foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One call and what came of it."""

    dims: list[int]
    reply: Reply


def of_call(kind: str, function: str, outcome: Outcome) -> Finding | None:
    """Return the first fault of one call's result."""
    call = call_of(function, outcome.dims)
    reply = outcome.reply
    if reply.raised is not None:
        return Finding(
            check="raises",
            expected=f"{call} returns a dictionary",
            got=f"it raised {reply.raised}",
            likely=_why_raised(reply.raised.name, reply.raised.message),
        )
    if not isinstance(reply.result, Mapping):
        return Finding(
            check="type",
            expected=f"{call} returns a dictionary of W1, b1, ...",
            got=shown(reply.result),
            likely="`return parameters` is missing" if reply.result is None else "",
        )
    expected = INITIALIZATIONS[kind](outcome.dims, LESSON_SEED)
    return (
        _keys(call, reply.result, expected)
        or _arrays(call, reply.result, expected)
        or _values(kind, call, outcome.dims, reply.result, expected)
    )


def _why_raised(name: str, message: str) -> str:
    if name == "NotImplementedError":
        return "the function is not written yet"
    if name == "MemoryError":
        return "it asks for more memory than there is"
    if name == "PermissionError":
        return (
            "it was stopped from what a graded program may not do: read or write "
            "files, use the network, start or kill processes"
        )
    if name == "SystemExit":
        return "it calls exit; return the dictionary instead"
    if name == "IndexError":
        return "the loop goes one layer too far: range(1, len(layers_dims))"
    if "NoneType" in message:
        return "is a None of the template not filled in?"
    return ""


def _keys(
    call: str, result: Mapping[str, object], expected: Parameters
) -> Finding | None:
    missing = [name for name in expected if name not in result]
    extra = [name for name in result if name not in expected]
    if not missing and not extra:
        return None
    likely = ""
    lowered = {name.lower() for name in expected}
    if missing and extra and all(name.lower() in lowered for name in extra):
        likely = "names are W and b as written, capital W and small b"
    elif "W0" in extra:
        likely = "layers are counted from 1: W1, b1, not W0, b0"
    elif missing and not extra and missing[0] not in ("W1", "b1"):
        likely = (
            "the loop ends too early: range(1, len(layers_dims)) reaches the last layer"
        )
    elif extra and not missing:
        likely = (
            "the dictionary is shared between calls: make a new one inside the function"
            if all(name[0] in "Wb" for name in extra)
            else "the dictionary holds W and b of every layer and nothing else; other "
            "functions count its entries"
        )
    return Finding(
        check="keys",
        expected=f"{call} returns {joined(list(expected))}",
        got=joined(list(result)[:12]) or "an empty dictionary",
        likely=likely,
    )


def _arrays(
    call: str, result: Mapping[str, object], expected: Parameters
) -> Finding | None:
    """Return a finding on classes, shapes and types of the arrays."""
    for name, wanted in expected.items():
        value = result[name]
        asked = f"{name} of {call} is an array of shape {wanted.shape}"
        if not isinstance(value, Array) or value.kind != "ndarray":
            return Finding(
                check="arrays",
                expected=asked,
                got=f"a NumPy {value.kind}"
                if isinstance(value, Array)
                else shown(value),
                likely=_why_no_array(value),
            )
        if value.values.shape != wanted.shape:
            return Finding(
                check="shapes",
                expected=asked,
                got=f"shape {value.values.shape}",
                likely=_why_shape(name, value.values.shape, wanted.shape),
            )
        if value.values.dtype != np.float64:
            return Finding(
                check="dtype",
                expected=f"{name} of {call} holds float64 numbers",
                got=f"{value.values.dtype}",
                likely="training would cut every step to a whole number"
                if value.values.dtype.kind in "iub"
                else "keep NumPy's own float64",
            )
        if not value.writeable:
            return Finding(
                check="dtype",
                expected=f"{name} of {call} can be updated in place",
                got="a read-only array",
                likely="np.broadcast_to gives a view of one number; use np.zeros or "
                "np.full",
            )
        if not np.isfinite(value.values).all():
            return Finding(
                check="finite",
                expected=f"{name} of {call} is finite",
                got=shown(value),
                likely="np.empty is not filled, or something is divided by 0",
            )
    return None


def _why_no_array(value: object) -> str:
    if value is None:
        return "a None of the template is not filled in"
    if isinstance(value, Array) and value.kind == "matrix":
        return "np.matrix multiplies otherwise than the lesson's arrays; use np.array"
    if isinstance(value, Array):
        return "a subclass of ndarray; the lesson's are plain NumPy arrays"
    if isinstance(value, list | tuple):
        return "a nested list; the lesson's arrays are of NumPy"
    if isinstance(value, float | int | np.number):
        return "one number; randn and zeros need the shape (n, n_prev)"
    if isinstance(value, Foreign) and value.kind == "ndarray":
        return "an array of another dtype: complex, object, text; float64 is asked"
    if isinstance(value, Foreign):
        return "the lesson's arrays are NumPy arrays of numbers"
    return ""


def _why_shape(name: str, came: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if came == wanted[::-1] and name[0] == "W":
        return "transposed: W is (n, n_prev), rows are this layer's units"
    if name[0] == "b" and came == wanted[::-1]:
        return "b is a column (n, 1), not a row"
    if name[0] == "b" and len(came) == 1:
        return "b is a column of shape (n, 1), not flat (n,): zeros((n, 1))"
    if name[0] == "b" and came[:1] != wanted[:1]:
        return "b has one entry per unit of its own layer: zeros((layers_dims[l], 1))"
    return (
        "sizes come from something else than the argument: does the function use a "
        "global layers_dims, or sizes of its own?"
    )


def _values(
    kind: str,
    call: str,
    dims: list[int],
    result: Mapping[str, Array],
    expected: Parameters,
) -> Finding | None:
    for name, wanted in expected.items():
        came = result[name].values
        if np.allclose(came, wanted, rtol=SAME, atol=0):
            continue
        weights = [result[f"W{layer}"].values for layer in range(1, len(dims))]
        biases = {n: each.values for n, each in result.items() if n[0] == "b"}
        parts = []
        if kind == "zeros":
            parts.append(explain_zeros({n: each.values for n, each in result.items()}))
        else:
            if any(np.any(each) for each in biases.values()):
                parts.append(
                    "the biases are not zero: b is np.zeros((layers_dims[l], 1))"
                )
            if not all(
                np.allclose(w, expected[f"W{n}"], rtol=SAME)
                for n, w in enumerate(weights, start=1)
            ):
                parts.append(explain(kind, dims, weights))
        return Finding(
            check="values",
            expected=f"{name} of {call} is {shown(wanted)}",
            got=shown(came),
            likely="; ".join(part for part in parts if part),
        )
    return None
