"""Functions as inits: told apart by their source, and by what it refers to."""

import functools

import numpy as np

import initlab as il

FACTOR = 2.0


def scaled(shape, rng):
    return FACTOR * rng.standard_normal(shape)


def made(factor):
    def mine(shape, rng):
        return factor * rng.standard_normal(shape)

    return mine


class Drawer:
    def __init__(self, table):
        self.table = table

    def __call__(self, shape, rng):
        return self.table[0] * rng.standard_normal(shape)


def digest_of(draw):
    return il.Init.of(draw).digest


def test_equal_functions_have_equal_digests():
    assert digest_of(made(1)) == digest_of(made(1))
    assert len(digest_of(scaled)) == 64


def test_a_value_that_a_function_refers_to_counts(monkeypatch):
    before = digest_of(scaled)
    monkeypatch.setattr(f"{__name__}.FACTOR", 3.0)

    assert digest_of(scaled) != before
    assert digest_of(made(1)) != digest_of(made(2))
    assert digest_of(made(np.ones(3))) != digest_of(made(np.zeros(3)))


def test_partials_and_objects_count_by_their_values():
    one, two = (functools.partial(np.multiply, each) for each in (1, 2))
    assert digest_of(Drawer([1])) == digest_of(Drawer([1]))
    assert digest_of(Drawer([1])) != digest_of(Drawer([2]))
    assert digest_of(one) != digest_of(two)


def test_a_function_without_source_has_none():
    namespace = {}
    exec("def typed(shape, rng): return rng.standard_normal(shape)", namespace)

    assert digest_of(namespace["typed"]) is None
