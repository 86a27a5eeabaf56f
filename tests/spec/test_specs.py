"""Specs: what may be asked, and how a refusal reads."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import initlab as il
from initlab.errors import InitlabError, InvalidValueError, UnknownNameError
from initlab.spec import (
    ACTIVATION_NAMES,
    INIT_NAMES,
    LOSS_NAMES,
    OPTIMIZER_NAMES,
    PROBLEM_NAMES,
    Init,
    from_toml,
    to_toml,
)

studies = st.builds(
    il.Study,
    network=st.builds(
        il.MLP,
        widths=st.none() | st.lists(st.integers(1, 99), min_size=2).map(tuple),
        activation=st.sampled_from(ACTIVATION_NAMES),
        batch_norm=st.booleans(),
    ),
    problem=st.builds(
        il.Problem,
        name=st.sampled_from(PROBLEM_NAMES),
        noise=st.none() | st.floats(0, 10),
        test_fraction=st.floats(0, 0.99),
    ),
    inits=st.lists(st.sampled_from(INIT_NAMES), min_size=1, unique=True),
    members=st.integers(1, 1000),
    loss=st.none() | st.sampled_from(LOSS_NAMES),
    optimizer=st.sampled_from(OPTIMIZER_NAMES),
    learning_rate=st.floats(1e-12, 1e12),
    batch_size=st.none() | st.integers(1, 10**6),
    steps=st.integers(1, 10**6),
    record_every=st.none() | st.integers(1, 10**6),
    seed=st.integers(0, 2**31),
    seeding=st.sampled_from(["legacy", "stream"]),
)


@given(studies)
def test_a_study_survives_the_way_through_toml(study):
    assert from_toml(to_toml(study)) == study


@given(st.text())
def test_any_text_as_init_is_an_init_or_one_line(text):
    try:
        Init.parse(text)
    except InitlabError as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(st.sampled_from(INIT_NAMES), st.text(max_size=20))
def test_any_arguments_are_an_init_or_one_line(name, arguments):
    try:
        Init.parse(f"{name}({arguments})")
    except InitlabError as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(st.text())
def test_any_text_as_toml_is_a_study_or_one_error(text):
    try:
        from_toml(text)
    except InitlabError as error:
        assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("normal( std = 10 )", "normal(std=10)"),
        ("he_normal(mode=fan_out)", "he_normal(mode=fan_out)"),
        ("he_normal(mode='fan_out', scale=2.5)", "he_normal(mode=fan_out, scale=2.5)"),
        ("zeros(bias=-1e-3)", "zeros(bias=-0.001)"),
        ("xavier_uniform", "xavier_uniform"),
    ],
)
def test_labels_are_as_one_would_type_them(text, label):
    init = Init.parse(text)

    assert init.label == label
    assert Init.parse(init.label) == init


def test_aliases_say_what_they_point_to():
    assert Init.parse("kaiming_normal").name == "he_normal"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: il.Study(steps=0), InvalidValueError, "steps: must be greater than 0"),
        (lambda: il.Study(stesp=1), UnknownNameError, "Did you mean 'steps'"),
        (lambda: il.Study(inits=[]), InvalidValueError, "inits"),
        (lambda: il.Study(inits=["zeros", "zeros"]), InvalidValueError, "twice"),
        (lambda: il.Study(inits=[3]), InvalidValueError, "got 3"),
        (lambda: il.Study(inits=["he_norml"]), UnknownNameError, "'he_normal'"),
        (lambda: il.Study(inits=["normal(sd=1)"]), UnknownNameError, "'std'"),
        (lambda: il.Study(inits=["normal(std=-1)"]), InvalidValueError, "got -1"),
        (lambda: il.Study(inits=["normal(3)"]), InvalidValueError, "normal(std=10)"),
        (lambda: il.Study(inits=["normal(std=1, std=2)"]), InvalidValueError, "write"),
        (lambda: il.Study(inits=["ones(**{})"]), InvalidValueError, "write"),
        (lambda: il.Study(learning_rate=float("inf")), InvalidValueError, "finite"),
        (lambda: il.Study(seed=2**32 - 1, members=2), InvalidValueError, "legacy"),
        (lambda: il.Study(problem="circels"), UnknownNameError, "'circles'"),
        (lambda: il.Study(problem="data.xlsx"), InvalidValueError, ".csv"),
        (lambda: il.Study(problem=3), InvalidValueError, "(X, y)"),
        (lambda: il.MLP(widths=(2,)), InvalidValueError, "widths"),
        (lambda: il.MLP(activation="rleu"), UnknownNameError, "'relu'"),
        (lambda: il.Problem(test_fraction=1), InvalidValueError, "less than 1"),
        (lambda: from_toml("steps = ["), InvalidValueError, "not TOML"),
        (
            lambda: from_toml('[grid]\nproblem = ["moons"]\nproblem.seed = [1, 2]'),
            InvalidValueError,
            'longer key is quoted: "problem.seed"',
        ),
        (lambda: from_toml("[network]\nwidths=[2, 0]"), InvalidValueError, "widths.1"),
        (lambda: il.inits.he_norml, AttributeError, "he_norml"),
    ],
)
def test_a_refusal_names_the_argument_and_what_is_allowed(make, error, message):
    with pytest.raises(error) as caught:
        make()

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_thousands_of_inits_and_of_a_grids_values_are_compared_at_once():
    count = 20_000  # seconds, if each were looked for among all
    rates = [0.01 + step * 1e-6 for step in range(count)]
    labels = {f"{number}": "zeros" for number in range(count)}
    began = time.process_time()

    il.Study(grid={"learning_rate": rates}, inits=labels)

    # 20,000 validations of each take less than a second of it.
    assert time.process_time() - began < 8


def test_inits_are_functions_of_their_parameters():
    init = il.inits.normal(std=10, bias=1, label="mine")

    assert init == Init(name="normal", parameters={"std": 10}, bias=1, label="mine")
    assert "he_normal" in dir(il.inits)


def test_a_callable_is_known_by_its_name_and_source():
    def mine(shape, rng):
        return rng.standard_normal(shape)

    first, second = Init.of(mine), Init.of(max)

    assert (first.label, first.draw) == ("mine", mine)
    assert len(first.digest) == 64
    assert second.digest is None  # built in: no source to fingerprint


def test_arrays_are_known_by_their_bytes():
    X, y = np.zeros((4, 2)), [0, 1, 0, 1]

    same, other = il.Problem.of((X, y)), il.Problem.of((X + 1, y))

    assert same.digest == il.Problem.of((X.copy(), y)).digest
    assert same.digest != other.digest


def test_tables_and_objects_are_known_by_their_values():
    names = np.array(["yes", "no"] * 2, dtype=object)
    other = np.array(["yes", "no", "no", "no"], dtype=object)
    long = pd.DataFrame({"a": np.arange(500.0)})

    assert il.Problem.of((long, names)).digest == il.Problem.of((long, names)).digest
    assert il.Problem.of((long, other)).digest != il.Problem.of((long, names)).digest
    changed = long.copy()
    changed.loc[250, "a"] = -1  # a repr would not show it
    assert il.Problem.of((changed, names)).digest != il.Problem.of((long, names)).digest


def test_records_include_the_start_and_the_last_step():
    assert il.Study(steps=250).recorded_steps == (0, 100, 200, 250)
    assert il.Study(steps=4, record_every=2).recorded_steps == (0, 2, 4)


def test_the_package_lists_its_names_and_refuses_others():
    assert "Study" in dir(il)
    with pytest.raises(AttributeError, match="nothing"):
        il.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("make", "argument", "part"),
    [
        (lambda: il.Study(learning_rate=-1.0), "learning_rate", ""),
        (lambda: il.MLP(widths=(2, 0)), "widths", ".1"),
        (lambda: il.MLP(widths=(2, 1), depth=3), "depth", ", width"),
        (
            lambda: il.Study(grid={"learning_rate": [0.1, -1.0]}),
            "grid",
            ".learning_rate",
        ),
        (lambda: il.from_toml("[network]\nwidths = [2, 0]"), "network", ".widths.1"),
        (lambda: il.from_toml("[problem]\nnoise = -1.0"), "problem", ".noise"),
    ],
)
def test_an_error_carries_what_it_is_about(make, argument, part):
    with pytest.raises(InvalidValueError) as raised:
        make()

    assert (raised.value.argument, raised.value.part) == (argument, part)
    assert str(raised.value) == f"{argument}{part}: {raised.value.message}"
