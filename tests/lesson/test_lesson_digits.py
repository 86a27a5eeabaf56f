"""Printed numbers, found in any language and judged by measurement."""

import nbformat
import pytest

from initlab.lesson._judgement import (
    Spread,
    digits_shared,
    examples_printed,
    judge,
    lesson_numbers,
    measured_spread,
)
from initlab.lesson._printed import Number, printed_in

LINES = {
    "English": "Cost after iteration {}: {}",
    "Chinese": "第{}次迭代，成本值为：{}",  # noqa: RUF001
    "Spanish": "Coste tras la iteración {}: {}",
    "Vietnamese": "Chi phí sau vòng lặp {}: {}",
    "Korean": "반복 {} 이후 비용: {}",
    "terse": "{} {}",
}


def notebook(text, source="model(train_X, train_Y)"):
    output = nbformat.v4.new_output("stream", name="stdout", text=text)
    cell = nbformat.v4.new_code_cell(source, outputs=[output])
    return nbformat.v4.new_notebook(cells=[cell])


def lines_of(costs, form=LINES["English"]):
    shown = ["inf" if cost is None else repr(cost) for cost in costs]
    return "\n".join(form.format(1000 * i, cost) for i, cost in enumerate(shown))


def costs_of(problem, init):
    return lesson_numbers()[problem][init]["costs"]


def stable(problem, init, last):  # noqa: ARG001
    costs = dict.fromkeys(range(0, last + 1, 1000), 0.5)
    return Spread(costs=costs, widths=dict.fromkeys(costs, 1e-16), copies=4)


def chaotic(problem, init, last):  # noqa: ARG001
    costs = dict.fromkeys(range(0, last + 1, 1000), 0.5)
    return Spread(costs=costs, widths=dict.fromkeys(costs, 5e-3), copies=4)


def never(*_):
    raise AssertionError("measured where nothing was missing")


def judged(text, measure, source="model(train_X, train_Y)"):
    (judgement,) = judge(printed_in(notebook(text, source)), measure)
    return judgement


@pytest.mark.parametrize("language", LINES)
def test_costs_are_found_in_any_language(language):
    text = lines_of(costs_of("circles", "he_normal"), LINES[language])

    judgement = judged(text, never)

    assert (judgement.init, judgement.problem) == ("he_normal", "circles")
    assert judgement.kind == "agrees"
    assert judgement.digits >= 15
    assert judgement.compared == 15


@pytest.mark.parametrize("problem", ["circles", "moons"])
@pytest.mark.parametrize("init", ["zeros", "he_normal"])
def test_every_stable_training_is_recognized(problem, init):
    text = lines_of(costs_of(problem, init))

    judgement = judged(text, never)

    assert judgement.init == init
    assert judgement.kind == "agrees"
    if init != "zeros":  # whose costs are the same on both
        assert judgement.problem == problem


def test_the_other_documents_large_costs_are_chaotic_and_no_fault():
    others = lesson_numbers()["circles"]["normal(std=10)"]["costs_of_other_documents"]

    for costs in others:
        judgement = judged(lines_of(costs), chaotic)

        assert judgement.init == "normal(std=10)"
        assert judgement.kind == "chaotic"
        assert "one-ulp changes" in judgement.sentence
        assert any("round-off" in remark for remark in judgement.remarks)


def test_costs_of_other_code_are_told_from_chaotic_ones():
    costs = [
        cost * (1 + 3e-3 * i) for i, cost in enumerate(costs_of("circles", "he_normal"))
    ]

    judgement = judged(lines_of(costs), stable)

    assert judgement.init == "he_normal"
    assert judgement.kind == "other code"
    assert "other code" in judgement.sentence


def test_costs_unlike_the_lessons_are_named_by_the_call():
    source = "parameters = model(train_X, train_Y, initialization = 'he')"
    text = lines_of([5.0, 4.0, 3.0])

    assert judged(text, stable, source).kind == "other code"
    assert judged(text, stable, "f()").kind == "unknown"


def test_fewer_printed_digits_are_no_fault():
    text = "\n".join(
        f"Cost after iteration {1000 * i}: {cost:.4f}"
        for i, cost in enumerate(costs_of("circles", "he_normal"))
    )

    judgement = judged(text, never)

    assert judgement.kind == "agrees"
    assert judgement.digits == 3  # of 0.0736


@pytest.mark.parametrize(
    ("text", "expected", "digits"),
    [
        ("0.6931471805599453", 0.6931471805599453, 16),
        ("0.6931", 0.6931471805599453, 4),
        ("0.7000", 0.6931471805599453, 2),
        ("inf", 0.5, 0),
        ("nan", 0.5, 0),
        ("6.931e-01", 0.6931471805599453, 4),
    ],
)
def test_shared_digits_are_counted(text, expected, digits):
    assert digits_shared(Number(text=text), expected) == digits


def test_accuracies_follow_their_training():
    text = lines_of(costs_of("circles", "he_normal")) + (
        "\nOn the train set:\nAccuracy: 0.9933333333333333"
        "\nOn the test set:\nAccuracy: 0.96\n"
    )

    judgement = judged(text, never)

    assert judgement.accuracies == ((0.9933333333333333,) * 2, (0.96, 0.96))


def test_example_parameters_are_found_as_numpy_prints_them():
    text = (
        "W1 = [[ 17.88628473   4.36509851   0.96497468]\n"
        " [-18.63492703  -2.77388203  -3.54758979]]\n"
        "b1 = [[0.]\n [0.]]\nW2 = [[-0.82741481 -6.27000677]]\nb2 = [[0.]]\n"
    )

    found = examples_printed(printed_in(notebook(text)))

    assert "normal(std=10)" in found
    assert "he_normal" not in found


@pytest.mark.slow
def test_one_ulp_changes_are_measured_and_tell_chaos_from_rounding():
    large = measured_spread("circles", "normal(std=10)", 3000)
    he = measured_spread("circles", "he_normal", 3000)

    assert large.costs[0] == pytest.approx(1773.5859549373833, rel=1e-14)
    assert large.relative > 1e-7
    assert he.relative < 1e-12
