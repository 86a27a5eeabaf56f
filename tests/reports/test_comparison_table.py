"""The comparison as text, HTML and JSON: the same numbers everywhere."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

import initlab as il
from initlab.reports import as_json, printed_records
from initlab.reports._pictures import captions


def test_the_table_shows_medians_spreads_and_intervals_in_columns_of_their_own():
    results = il.run(il.Study(inits=["he_normal"], members=7, steps=20), threads=1)
    finals = np.sort(results.loss.values[0, :, -1])

    table = il.compare(results)

    row = dict(zip(table.headers, table.rows[0], strict=True))
    ends = f"{finals[0]:.3g} to {finals[-1]:.3g}"
    assert table.rows[0][2:5] == (f"{np.median(finals):.6g}", ends, ends)
    assert table.headers.count("spread") == table.headers.count("interval (95 %)") == 3
    assert "7 of 7, such as member 0" in row["what happened"]


def test_too_few_members_have_no_interval(short_results):
    table = il.compare(short_results)

    assert "none under 6 members" in table.rows[0]


def test_pairs_say_of_what_how_often_and_how_sure(short_results):
    loss, accuracy = il.compare(short_results).pairs[:2]

    start = "zeros ended below normal(std=10) in "
    assert loss.startswith(f"{start}final training loss in ")
    assert accuracy.startswith(f"{start}test accuracy in ")
    assert "of 2 members; 95 % interval" in loss


def test_text_and_html_hold_every_cell(short_results):
    table = il.compare(short_results)

    text, page = str(table), table._repr_html_()

    assert "1 distinct unit" in text.replace("\n", " ")
    assert page.count("<tr>") == 4
    assert "normal(std=10)" in page


def test_a_label_is_escaped_in_html():
    init = il.inits.zeros(label="<script>alert(1)</script>")
    results = il.run(il.Study(inits=[init], steps=2), threads=1)

    assert "<script>" not in il.compare(results)._repr_html_()


def test_json_has_no_number_that_json_cannot_hold():
    study = il.Study(
        network=il.MLP(activation="identity"),
        inits=["he_normal"],
        members=2,
        steps=300,
        loss="mean_squared_error",
        learning_rate=1e6,
    )

    answer = as_json(il.run(study, threads=1))

    text = json.dumps(answer, allow_nan=False)
    assert json.loads(text)["results"][0]["final_loss"] is None
    assert answer["results"][0]["members"][1]["diverged_step"] > 0


def test_medians_in_json_count_a_diverged_member_as_the_worst(short_results):
    results = short_results.copy(deep=True)
    results.loss[2, 0, 1:] = np.nan

    entry = as_json(results)["results"][2]

    assert entry["losses"][0] is not None
    assert entry["losses"][-1] is None  # the median of one number and infinity


def test_regression_reports_r_squared_and_no_accuracy():
    results = il.run(
        il.Study(problem="diabetes", inits=["he_normal"], steps=20), threads=1
    )

    entry = as_json(results)["results"][0]

    assert entry["train_accuracy"] is None
    assert entry["train_r2"] == pytest.approx(results.train_r2.values[0, 0, -1])
    assert "train R²" in il.compare(results).headers


@pytest.mark.parametrize(
    ("study", "steps"),
    [
        (il.Study(), [*range(0, 15_000, 1000), 15_000]),
        (il.Study(steps=1500), [0, 1000, 1500]),
        (il.Study(steps=50), [0, 50]),
        (il.Study(steps=50, record_every=20), [0, 20, 40, 50]),
    ],
)
def test_losses_are_listed_at_thousands_and_the_last(study, steps):
    listed = [study.recorded_steps[record] for record in printed_records(study)]

    assert listed == steps


def test_a_report_is_one_page_written_whole(short_results, tmp_path):
    path = il.report(short_results, tmp_path / "page.html")

    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "he_normal" in page
    assert "il.from_toml" in page
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(il.InitlabError, match="cannot write"):
        il.report(short_results, tmp_path / "none" / "page.html")


def test_what_happened_stands_under_a_table_that_leaves_it_no_room(capsys, monkeypatch):
    label = "a_name_of_many_words_that_fills_a_line_of_a_terminal"
    study = il.Study(inits=[il.inits.zeros(label=label)], steps=2)
    table = il.compare(il.run(study, threads=1))
    monkeypatch.setenv("COLUMNS", "70")

    table.print_to(Console())

    out = capsys.readouterr().out
    assert "what happened" not in out
    assert f"{label}: all 10 units" in " ".join(out.split())


def test_no_score_is_a_negative_zero():
    study = il.Study(problem="diabetes", inits=["zeros"], steps=2000)

    table = il.compare(il.run(study, threads=1))

    assert "-0.000" not in table.rows[0][:-1]


def test_the_page_says_when_a_curve_leaves_the_picture(short_results):
    results = short_results.copy(deep=True)
    results.loss[0, :, 1] = 1e90

    assert "leaves at the top" in captions(results)["loss_curves"][1]
    assert "leaves at the top" not in captions(short_results)["loss_curves"][1]


@pytest.mark.parametrize("width", [20, 60])
@pytest.mark.parametrize("members", [1, 8])
def test_no_terminal_is_so_narrow_that_a_number_loses_digits(width, members):
    table = il.compare(il.run(il.Study(steps=300, members=members), threads=1))
    printed = io.StringIO()

    table.print_to(Console(file=printed, width=width))

    for row in table.rows:
        for cell in row[1:-1]:
            assert f" {cell} " in printed.getvalue()
