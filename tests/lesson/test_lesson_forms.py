"""Every form of the lesson's notebooks runs, and its numbers are judged."""

import json

import pytest
from lesson_notebooks import (
    LESSONS,
    OTHERS,
    english_of_2017,
    text_of,
    with_stored_costs,
    write,
)

from initlab.lesson import run
from initlab.lesson._judgement import Spread, lesson_numbers, measured_spread

pytestmark = pytest.mark.slow


def chaos(problem, init, last):
    """Stand in for a measurement that takes seconds; another test measures."""
    assert init == "normal(std=10)"
    costs = lesson_numbers()[problem][init]["costs"]
    steps = range(0, last + 1, 1000)
    by_step = {step: costs[step // 1000] or 1773.5859549373833 for step in steps}
    width = {"circles": 2e-2, "moons": 1.0}[problem]
    return Spread(costs=by_step, widths=dict.fromkeys(steps, width), copies=4)


@pytest.mark.parametrize("form", LESSONS.values(), ids=LESSONS)
def test_a_notebook_of_the_lesson_runs_as_it_is(form, tmp_path):
    path = write(form, tmp_path)
    before = path.read_bytes()

    report = run(path, measure=chaos)

    assert report.errors == ()
    assert report.ran == report.cells
    assert path.read_bytes() == before
    problem = "moons" if "moons" in path.name else "circles"
    assert [(each.init, each.problem) for each in report.printed] == [
        (init, problem) for init in ("zeros", "normal(std=10)", "he_normal")
    ]
    zeros, large, he = report.printed
    assert (zeros.kind, he.kind) == ("agrees", "agrees")
    assert he.digits >= 14
    assert large.kind in ("agrees", "chaotic")
    assert any("round-off" in remark for remark in large.remarks)
    for each in report.printed:
        assert each.compared >= 2
        assert len(each.accuracies) == 2


@pytest.mark.parametrize("form", OTHERS.values(), ids=OTHERS)
def test_a_notebook_of_a_sibling_lesson_runs_as_it_is(form, tmp_path):
    report = run(write(form, tmp_path), measure=chaos)

    assert report.errors == ()
    assert report.printed == ()


def test_own_modules_come_first_and_need_neither_tensorflow_nor_aliases(tmp_path):
    report = run(write(LESSONS["own modules"], tmp_path), measure=chaos)

    printed = text_of(report.executed)
    assert "own init_utils" in printed
    assert "own dlai_tools" in printed
    assert "own public_tests" in printed
    assert "init_utils" not in report.provided


def test_only_what_is_missing_is_provided(tmp_path):
    report = run(write(LESSONS["own tests"], tmp_path), measure=chaos)

    assert set(report.provided) == {"init_utils", "test_utils"}
    assert "own public_tests" in text_of(report.executed)


def test_example_parameters_are_compared(tmp_path):
    report = run(write(english_of_2017, tmp_path), measure=chaos)

    assert set(report.examples) == {"zeros", "normal(std=10)", "he_normal"}


@pytest.mark.parametrize(
    ("factor", "kind", "says"),
    [(1.0, "agrees", "agree"), (1.003, "other code", "of other code")],
)
def test_stored_outputs_are_judged_too(factor, kind, says, tmp_path):
    costs = lesson_numbers()["circles"]["he_normal"]["costs"]
    content = with_stored_costs([cost * factor for cost in costs])
    content["cells"] = [
        cell | {"source": "pass"} if cell["cell_type"] == "code" else cell
        for cell in content["cells"]
    ]
    path = tmp_path / "stored.ipynb"
    path.write_text(json.dumps(content))

    report = run(path, measure=measured_spread)

    (stored,) = report.stored
    assert stored.kind == kind
    assert says in stored.sentence
