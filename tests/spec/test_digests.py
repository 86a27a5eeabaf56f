"""Fingerprints: stores keep their keys, and other data have others."""

import functools
import inspect
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from initlab.spec import Init, digest

TABLE = {"scale": 2.0, "shape": (3, 4), "names": ["a", "b"]}
OFFSETS = np.arange(4.0)


def tabled(shape, rng, power=0.5):
    return TABLE["scale"] * rng.standard_normal(shape) + OFFSETS[0] ** power


def made(factor):
    def mine(shape, rng):
        return factor * rng.standard_normal(shape)

    return mine


class Drawer:
    def __init__(self, table):
        self.table = table

    def __call__(self, shape, rng):
        return self.table[0] * rng.standard_normal(shape)


@dataclass(frozen=True)
class Scaled:
    factor: float

    def __call__(self, shape, rng):
        return self.factor * rng.standard_normal(shape)


DATA = {
    "floats": (np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])),
    "float32": (np.ones((2, 2), dtype="<f4"),),
    "lists": ([[0.5, 1], [2, 3]], [0, 1]),
    "words": (np.array(["yes", "no"], dtype=object), ["a", ("b", None)]),
    "table": (pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}),),
    "mixed": (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),),
    "scalars": ([np.float64(0.1), np.int64(3)], {"a": 1}),
}
FUNCTIONS = {
    "tabled": tabled,
    "closure": made(2.5),
    "object": Drawer([1, 2.0, "x"]),
    "partial": functools.partial(tabled, power=2),
    "dataclass": Scaled(3.0),
    "library": made(np.multiply),
}
# Golden, of 2026-11-29: stores of that day are resumed by these.
PINNED = {
    "floats": "5b994f9682b1e68d",
    "float32": "ec50c475702e6fe5",
    "lists": "8ebfe8c4053a2929",
    "words": "2de23554d99a64d5",
    "table": "066e2f2be462ee7a",
    "mixed": "f7bc6ccd386e635c",
    "scalars": "5a0d3e072506c502",
    "tabled": "fda9a68b606326df",
    "closure": "05b4bba3013e5895",
    "object": "0d84daa47d8acaab",
    "partial": "a76ac1c669a407c3",
    "dataclass": "aba243be1316b9f2",
    "library": "568f2013800ae1f5",
}


@pytest.mark.parametrize("name", DATA)
def test_data_keep_the_digests_that_stores_know_them_by(name):
    assert digest(*DATA[name])[:16] == PINNED[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_keep_the_digests_that_stores_know_them_by(name):
    assert Init.of(FUNCTIONS[name]).digest[:16] == PINNED[name]


def test_what_a_ufunc_notes_of_itself_when_asked_is_no_part_of_it():
    inspect.signature(np.multiply)

    assert Init.of(FUNCTIONS["library"]).digest[:16] == PINNED["library"]


LONG = np.arange(2000.0)
CHANGED = np.where(LONG == 1000, 77, LONG)


@pytest.mark.parametrize(
    "nested",
    [
        lambda array: [array, LONG],
        lambda array: [[0.5], ([array],)],
        lambda array: {"a": [array]},
        lambda array: pd.Series([array, LONG]),
        lambda array: [pd.DataFrame({"a": array})],
        lambda array: [array + 1e-12, np.array(0.0)],
        lambda array: np.array([(array, 1)], dtype=[("a", object), ("b", int)]),
    ],
)
def test_arrays_count_by_their_bytes_wherever_they_are(nested):
    assert digest(nested(LONG)) == digest(nested(LONG.copy()))
    assert digest(nested(LONG)) != digest(nested(CHANGED))


def test_types_and_shapes_of_nested_arrays_count():
    given = [np.zeros(4), np.zeros(4, dtype=int), np.zeros((2, 2)), [0.0] * 4]

    assert len({digest([each]) for each in given}) == len(given)


class Held(deque):
    def draw(self, shape, rng):
        return self[0] * rng.standard_normal(shape)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({1, 2}, {3, 40}),
        (frozenset("ab"), frozenset("ac")),
        ([Fraction(1, 2)], [Fraction(7, 2)]),
        (Decimal("0.1"), Decimal("0.2")),
        (range(3), range(4)),
        (slice(1), slice(2)),
        (deque([1, 2]), deque([1, 3])),
        (bytearray(b"a"), bytearray(b"b")),
        (pd.Series(LONG), pd.Series(CHANGED)),
        (Held([1]), Held([2])),
    ],
)
def test_whatever_value_a_function_refers_to_counts(one, other):
    digests = [Init.of(made(each)).digest for each in (one, other, one)]

    assert digests[0] == digests[2]
    assert digests[0] != digests[1]


def test_methods_count_by_their_source_and_by_their_object():
    digests = {Init.of(each.__call__).digest for each in (Drawer([1]), Drawer([2]))}

    assert len(digests) == 2


def test_sets_count_in_any_order_and_generators_not_by_where_they_are():
    words = [f"word{number}" for number in range(20)]
    there, back = dict.fromkeys(words).keys(), dict.fromkeys(words[::-1]).keys()
    generator = np.random.default_rng(0)
    before = Init.of(made(generator)).digest
    generator.standard_normal()

    assert Init.of(made(set(there))).digest == Init.of(made(set(back))).digest
    assert Init.of(made(generator)).digest == before
