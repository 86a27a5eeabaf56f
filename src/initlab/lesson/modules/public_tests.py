"""What newer notebooks import from `public_tests`: a check of each exercise.

Each takes the learner's function, says that all tests passed, or raises AssertionError
with what was expected and what came. The grader (`initlab lesson grade`) asks more.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from initlab.lesson.modules import _regularization as right
from initlab.lesson.modules import test_cases as cases

__all__ = [
    "backward_propagation_test",
    "backward_propagation_with_dropout_test",
    "backward_propagation_with_regularization_test",
    "compute_cost_with_regularization_test",
    "forward_propagation_test",
    "forward_propagation_with_dropout_test",
    "gradient_check_n_test",
    "gradient_check_test",
    "initialize_parameters_he_test",
    "initialize_parameters_random_test",
    "initialize_parameters_zeros_test",
]

Target = Callable[..., Any]
_NETWORKS = ([3, 2, 1], [2, 4, 1], [4, 3, 5, 2])


def initialize_parameters_zeros_test(target: Target) -> None:
    """All weights and biases 0, in the right shapes."""
    _check_initializer(target, lambda rows, columns: np.zeros((rows, columns)))


def initialize_parameters_random_test(target: Target) -> None:
    """Weights of seed 3 and randn times 10, biases 0."""
    _check_initializer(target, lambda rows, columns: _randn(rows, columns) * 10)


def initialize_parameters_he_test(target: Target) -> None:
    """Weights of seed 3 and randn times sqrt(2 / previous size), biases 0."""
    _check_initializer(
        target, lambda rows, columns: _randn(rows, columns) * np.sqrt(2 / columns)
    )


# Its own stream, reset for every network: the learner's function has the global one.
_STREAM = np.random.RandomState(3)


def _randn(rows: int, columns: int) -> np.ndarray:
    return _STREAM.randn(rows, columns)


def _check_initializer(target: Target, draw: Callable[[int, int], np.ndarray]) -> None:
    for layers_dims in _NETWORKS:
        _STREAM.seed(3)
        expected = {}
        for layer in range(1, len(layers_dims)):
            rows, columns = layers_dims[layer], layers_dims[layer - 1]
            expected[f"W{layer}"] = draw(rows, columns)
            expected[f"b{layer}"] = np.zeros((rows, 1))
        _compare(
            f"for layers_dims = {layers_dims}", expected, target(list(layers_dims))
        )
    _passed()


def compute_cost_with_regularization_test(target: Target) -> None:
    """The regularized cost of the test case, with lambd = 0.1."""
    a3, Y, parameters = cases.compute_cost_with_regularization_test_case()
    expected = right.compute_cost_with_regularization(a3, Y, parameters, 0.1)
    _compare("the cost", expected, target(a3, Y, parameters, 0.1))
    _passed()


def backward_propagation_with_regularization_test(target: Target) -> None:
    """The regularized gradients of the test case, with lambd = 0.7."""
    X, Y, cache = cases.backward_propagation_with_regularization_test_case()
    expected = right.backward_propagation_with_regularization(X, Y, cache, 0.7)
    _compare_weights(expected, target(X, Y, cache, 0.7))


def forward_propagation_with_dropout_test(target: Target) -> None:
    """The outputs of the test case with keep_prob = 0.7 and seed 1."""
    X, parameters = cases.forward_propagation_with_dropout_test_case()
    expected, _ = right.forward_propagation_with_dropout(X, parameters, 0.7)
    came = target(X, parameters, keep_prob=0.7)
    assert isinstance(came, tuple), "two values are asked: A3 and the cache"
    _compare("A3", expected, came[0])
    _passed()


def backward_propagation_with_dropout_test(target: Target) -> None:
    """The gradients of the test case with keep_prob = 0.8."""
    X, Y, cache = cases.backward_propagation_with_dropout_test_case()
    expected = right.backward_propagation_with_dropout(X, Y, cache, 0.8)
    came = target(X, Y, cache, keep_prob=0.8)
    for name in ("dA1", "dA2"):
        _compare(name, expected[name], came[name])
    _compare_weights(expected, came)


def forward_propagation_test(target: Target) -> None:
    """J(theta) = theta x."""
    _compare("J for x = 2, theta = 4", 8, target(2, 4))
    _passed()


def backward_propagation_test(target: Target) -> None:
    """The derivative of theta x by theta."""
    _compare("dtheta for x = 3, theta = 4", 3, target(3, 4))
    _passed()


def gradient_check_test(target: Target, *_: Any) -> None:
    """A difference near rounding: the derivative of theta x is right."""
    difference = target(3, 4)
    assert np.ndim(difference) == 0, f"one number is asked, got {difference!r}"
    assert difference < 1e-7, f"the difference is near 0, got {difference!r}"
    _passed()


def gradient_check_n_test(target: Target, *arguments: Any) -> None:
    """The difference that the test case has, with the planted faults or without."""
    difference = target(*arguments)
    expected = (0.2850931567761623, 1.1890913024229996e-07)
    assert np.ndim(difference) == 0, f"one number is asked, got {difference!r}"
    assert np.any(np.isclose(difference, expected)), (
        f"the difference is {expected[0]} with the planted faults and {expected[1]} "
        f"without, got {difference!r}"
    )
    _passed()


def _compare_weights(expected: dict[str, np.ndarray], came: Any) -> None:
    assert isinstance(came, dict), f"a dictionary of gradients is asked, got {came!r}"
    for name in ("dW1", "db1", "dW2", "db2", "dW3", "db3"):
        assert name in came, f"the gradients lack {name}"
        _compare(name, expected[name], came[name])
    _passed()


def _compare(what: str, expected: Any, came: Any) -> None:
    if isinstance(expected, dict):
        assert isinstance(came, dict), f"{what}: a dictionary is asked, got {came!r}"
        names, others = sorted(expected), sorted(came)
        assert names == others, f"{what}: {names} are asked, got {others}"
        for name in expected:
            _compare(f"{name} {what}", expected[name], came[name])
        return
    asked, got = np.shape(expected), np.shape(came)
    assert isinstance(came, np.ndarray | float | int | np.number), (
        f"{what}: numbers are asked, got {came!r}"
    )
    assert asked == got, f"{what}: shape {asked} is asked, got {got}"
    assert np.allclose(expected, came, rtol=1e-7), (
        f"{what}: expected {expected}, got {came}"
    )


def _passed() -> None:
    print("\033[92mAll tests passed.\033[0m")
