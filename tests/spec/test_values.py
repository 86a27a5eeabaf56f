"""Specs are values: equal and hashed by content, and nothing can be set in them."""

import copy
import json
import pickle

import numpy as np
import pytest

import initlab as il
from initlab.spec import Init, Problem, from_toml, to_toml

X, Y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])


def mine(shape, rng):
    return rng.standard_normal(shape)


def studies():
    """Studies that differ, each made twice."""
    makers = [
        il.Study,
        lambda: il.Study(steps=20),
        lambda: il.Study(problem=(X.copy(), Y.copy())),
        lambda: il.Study(problem=(X + 1, Y)),
        lambda: il.Study(inits=["normal(std=2)", mine]),
        lambda: il.Study(grid={"learning_rate": [0.1, 1], "problem": ["moons"]}),
    ]
    return [(make(), make()) for make in makers]


def test_specs_are_equal_by_their_content_and_hashed_so():
    pairs = studies()

    for one, same in pairs:
        assert one == same
        assert hash(one) == hash(same)
    assert len({each for pair in pairs for each in pair}) == len(pairs)


def test_problems_of_equal_arrays_are_equal():
    assert Problem.of((X, Y)) == Problem.of((X.copy(), Y.copy()))
    assert Problem.of((X, Y)) != Problem.of((X, 1 - Y))
    assert Problem.of((X, Y)) != "circles"


def test_functions_without_a_digest_are_equal_to_themselves_only():
    assert Init.of(max) == Init.of(max)
    assert Init.labelled("a", max) != Init.labelled("a", min)


def test_numbers_that_are_equal_hash_alike():
    study = il.Study(learning_rate=1.0)
    copied = study.model_copy(update={"learning_rate": 1})

    assert (copied, hash(copied)) == (study, hash(study))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, None])
@pytest.mark.parametrize("number", range(6))
def test_copies_and_pickles_are_equal(again, number):
    one, _ = studies()[number]
    again = again or (lambda study: pickle.loads(pickle.dumps(study)))

    assert again(one) == one
    assert hash(again(one)) == hash(one)


def test_nothing_can_be_set_in_what_a_spec_holds():
    init = Init.parse("normal(std=10)")
    study = il.Study(grid={"learning_rate": [0.1, 1]})

    for change in (
        lambda held: held.__setitem__("std", 3),
        lambda held: held.__delitem__("std"),
        lambda held: held.__ior__({"std": 3}),
        lambda held: held.update(std=3),
        lambda held: held.setdefault("mean", 3),
        lambda held: held.pop("std"),
        lambda held: held.popitem(),
        lambda held: held.clear(),
    ):
        with pytest.raises(TypeError, match=r"copy\(\) gives a dict"):
            change(init.parameters)
    with pytest.raises(TypeError):
        study.grid["learning_rate"] = (2,)

    assert (init.parameters, str(init)) == ({"std": 10.0}, "normal(std=10)")
    assert init.parameters | {"mean": 1} == {"std": 10.0, "mean": 1}
    changed = init.parameters.copy()
    changed["std"] = 3
    assert changed == {"std": 3}


def test_what_a_spec_holds_is_written_by_json():
    init = Init.parse("normal(std=10)")

    assert json.dumps(init.parameters) == '{"std": 10.0}'


def test_what_cannot_be_set_is_written_as_before():
    study = il.Study(inits=["normal(std=10)"], grid={"problem": ["moons", "circles"]})

    assert from_toml(to_toml(study)) == study
    assert json.loads(study.model_dump_json())["inits"][0]["parameters"] == {"std": 10}
    assert type(study.model_dump()["grid"]) is dict
