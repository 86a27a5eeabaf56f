"""What test modules of the lesson import from `test_utils` and `dlai_tools`.

A test case is a dictionary of `name` (which check), `input` (a list of arguments),
`expected` and `error` (what is said where it fails).
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

__all__ = [
    "comparator",
    "datatype_check",
    "equation_output_check",
    "multiple_test",
    "shape_check",
    "single_test",
    "summary",
]

Case = Mapping[str, Any]
_GREEN, _RED = "\033[92m", "\033[91m"


def single_test(test_cases: Sequence[Case], target: Callable[..., Any]) -> None:
    """Run a function on test cases; say that all passed, or raise AssertionError."""
    _run(test_cases, target)


def multiple_test(test_cases: Sequence[Case], target: Callable[..., Any]) -> None:
    """Do the same for results of several values: dictionaries, tuples, lists."""
    _run(test_cases, target)


def datatype_check(expected: Any, target_output: Any, error: str = "") -> bool:
    """Whether all values are of the expected types, deep inside too."""
    return _agree(_same_type, expected, target_output, error)


def equation_output_check(expected: Any, target_output: Any, error: str = "") -> bool:
    """Whether all numbers are the expected ones, deep inside too."""
    return _agree(_same_values, expected, target_output, error)


def shape_check(expected: Any, target_output: Any, error: str = "") -> bool:
    """Whether all arrays have the expected shapes, deep inside too."""
    return _agree(_same_shape, expected, target_output, error)


def summary(model: Any) -> Any:
    """Not for this lesson: what a Keras model's layers are.

    Raises:
        NotImplementedError: Always; no notebook of this lesson has such a model.
    """
    raise NotImplementedError("summary is for Keras models, which this lesson has none")


comparator = summary

_CHECKS: Mapping[str, Callable[[Any, Any, str], bool]] = {
    "datatype_check": datatype_check,
    "equation_output_check": equation_output_check,
    "multiple_equation_output_check": lambda expected, came, error: any(
        equation_output_check(each, came, error) for each in expected
    ),
    "shape_check": shape_check,
}


def _run(test_cases: Sequence[Case], target: Callable[..., Any]) -> None:
    failed = []
    for case in test_cases:
        check = _CHECKS.get(case["name"])
        if check is None:
            raise ValueError(
                f"test case {case['name']!r}: must be one of {', '.join(_CHECKS)}"
            )
        came = target(*deepcopy(case["input"]))
        if not check(case["expected"], came, case["error"]):
            failed.append(case["error"])
    if not failed:
        print(f"{_GREEN} All tests passed.")
        return
    print(_GREEN, len(test_cases) - len(failed), " Tests passed")
    print(_RED, len(failed), " Tests failed")
    name = getattr(target, "__name__", str(target))
    raise AssertionError(f"{name}: {'; '.join(dict.fromkeys(failed))}")


def _agree(
    same: Callable[[Any, Any], bool], expected: Any, came: Any, error: str
) -> bool:
    """Compare two values, part by part; say where they differ."""
    if isinstance(expected, Mapping):
        keys = list(expected)
        if not isinstance(came, Mapping) or set(came) != set(keys):
            print(f"{error}: expected a dictionary of {', '.join(map(str, keys))}")
            return False
        return all(_agree(same, expected[k], came[k], f"{error} for {k}") for k in keys)
    if isinstance(expected, tuple | list):
        if not isinstance(came, tuple | list) or len(came) != len(expected):
            print(f"{error}: expected {len(expected)} values")
            return False
        pairs = zip(expected, came, strict=True)
        return all(
            _agree(same, one, other, f"{error} for value {n}")
            for n, (one, other) in enumerate(pairs)
        )
    if same(expected, came):
        return True
    print(f"{error}: expected {expected!r}, got {came!r}")
    return False


def _same_type(expected: Any, came: Any) -> bool:
    numbers = (int, float, np.number)
    both = isinstance(expected, numbers) and isinstance(came, numbers)
    return both or isinstance(came, type(expected))


def _same_values(expected: Any, came: Any) -> bool:
    if isinstance(expected, str) or expected is None or came is None:
        return bool(expected == came)
    if np.shape(expected) != np.shape(came):
        return False
    return bool(np.allclose(expected, came))


def _same_shape(expected: Any, came: Any) -> bool:
    return np.shape(expected) == np.shape(came)
