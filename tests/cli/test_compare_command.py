"""`initlab compare` as a user types it: output, folder, JSON, refusals."""

import json
import os
import re
import subprocess
import sys
import time
from unittest import mock

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from initlab import problems
from initlab.cli._app import as_typed
from initlab.errors import DataError, InvalidValueError
from initlab.study._fit import fitted

QUICK = ["--steps", "20"]


def test_it_prints_a_table_and_writes_the_folder(run, tmp_path):
    status, out, _ = run("compare", *QUICK)

    assert status == 0
    for word in ("zeros", "normal(std=10)", "he_normal", "1773.59", "1 distinct"):
        assert word in out
    names = {path.name for path in (tmp_path / "initlab-compare").iterdir()}
    assert {"report.html", "results.json", "results.nc", "study.toml"} <= names
    for picture in ("loss_curves", "decision_boundaries", "activation_histograms"):
        assert {f"{picture}.png", f"{picture}.svg"} <= names
    opened = xr.open_dataset("initlab-compare/results.nc", engine="netcdf4")
    assert opened.sizes["init"] == 3
    opened.close()


def test_json_on_stdout_is_the_whole_answer(run):
    status, out, _ = run("compare", "--steps", "2500", "--json", "-")

    assert status == 0
    answer = json.loads(out)
    assert answer["spec"]["steps"] == 2500
    first = answer["results"][0]
    assert first["init"] == "zeros"
    assert first["steps"] == [0, 1000, 2000, 2500]
    assert len(first["losses"]) == 4
    assert first["member_count"] == 1
    assert first["cause"] == "symmetric_units"
    assert first["evidence"]["distinct_units"] == 1
    assert first["train_accuracy"] == first["test_accuracy"] == 0.5
    assert first["final_loss"] == first["losses"][-1]


def test_several_members_report_spread_intervals_and_pairs(run):
    status, out, _ = run(
        "compare", *QUICK, "--members", "7", "--json", "all.json", "--seeding", "stream"
    )

    assert status == 0
    assert "interval" in out
    assert "ended below" in out
    with open("all.json") as file:
        answer = json.load(file)
    he = answer["results"][2]
    finals = [member["final_loss"] for member in he["members"]]
    assert he["member_count"] == len(finals) == 7
    assert he["final_loss"] == pytest.approx(np.median(finals))
    assert he["interval_95"]["final_loss"] == [min(finals), max(finals)]
    assert len(answer["pairs"]) == 6  # in loss and in test accuracy
    assert {"first_below_second", "interval_95", "quantity"} <= answer["pairs"][
        0
    ].keys()


def test_costs_are_printed_as_the_lesson_does(run):
    _, out, _ = run("compare", "--steps", "1500", "--init", "zeros", "--print-costs")

    costs = re.findall(r"Cost after iteration (\d+): (\S+)", out)
    assert costs == [("0", "0.6931471805599453"), ("1000", "0.6931471805599453")]


def test_record_every_lists_every_record(run):
    _, out, _ = run("compare", "--steps", "9", "--record-every", "4", "--json", "-")

    assert json.loads(out)["results"][0]["steps"] == [0, 4, 8, 9]


def test_not_finite_is_null_in_json(run):
    _, out, _ = run(
        *["compare", "--steps", "300", "--init", "he_normal", "--json", "-"],
        *["--loss", "mean_squared_error", "--learning-rate", "1e6"],
        *["--activation", "identity"],
    )

    entry = json.loads(out)["results"][0]
    assert entry["losses"][-1] is None
    assert entry["cause"] == "diverged"


def test_the_command_that_repeats_it_is_on_the_page(run):
    run("compare", *QUICK, "--init", "normal(std=10)")

    with open("initlab-compare/report.html") as file:
        page = file.read()
    assert "initlab compare --steps 20 --init &#39;normal(std=10)&#39;" in page


def test_a_second_run_replaces_its_own_files_and_keeps_others(run, tmp_path):
    run("compare", *QUICK)
    notes = tmp_path / "initlab-compare" / "notes.txt"
    notes.write_text("mine")

    status, _, _ = run("compare", *QUICK, "--problem", "wine")

    assert status == 0
    assert notes.read_text() == "mine"
    assert not (tmp_path / "initlab-compare" / "decision_boundaries.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--init", "he_norml"], "Did you mean 'he_normal'"),
        (["--init", "normal(sd=1)"], "Did you mean 'std'"),
        (["--problem", "circels"], "Did you mean 'circles'"),
        (["--activation", "rleu"], "Did you mean 'relu'"),
        (["--optimizer", "adm"], "Did you mean 'adam'"),
        (["--loss", "mean_square"], "Did you mean 'mean_squared_error'"),
        (["--seeding", "streem"], "Did you mean 'stream'"),
        (["--widths", "3,5,1"], "--widths: the first is the number of features, 2"),
        (["--widths", "2,5,x"], "--widths: two or more whole numbers"),
        (["--widths", "2,-5,1"], "--widths: must be greater than 0, got -5"),
        (["--steps", "0"], "--steps: must be greater than 0, got 0"),
        (["--members", "-3"], "--members: must be greater than 0"),
        (["--threads", "0"], "--threads: must be at least 1"),
        (["--batch-size", "301"], "--batch-size: at most the 300"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "nan"], "--learning-rate: must be a finite number"),
        (["--learning-rate", "-1"], "--learning-rate: must be greater than 0"),
        (["--noise", "-1"], "--noise"),
        (["--examples", "0"], "--examples"),
        (["--test-fraction", "1"], "--test-fraction: must be less than 1"),
        (["--seed", "-1"], "--seed"),
        (["--record-every", "0"], "--record-every"),
        (["--problem", "none.csv"], "none.csv"),
        (["--steps", "many"], "--steps"),
        (["--stps", "3"], "--steps"),
        (["--steps", "1e3"], "--steps: must be a whole number, got '1e3'; write 1000"),
        (["--steps=10.5"], "--steps: must be a whole number, got 10.5\n"),
        (["--learning-rate", "0,1"], "must be a number, got '0,1'; write 0.1"),
        (["--init", "he"], "Did you mean 'he_normal'"),
        (["--optimizer", "sgd"], "Did you mean 'gradient_descent'"),
        (["--loss", "mse"], "Did you mean 'mean_squared_error'"),
        (["--init", "he_normal(scale=1e300)"], "or equal to 1e+100, got 1e+300"),
        (
            ["--engine", "reference", "--precision", "float32"],
            "computes in float64, got float32; use --engine lanes or wide",
        ),
        (["--json", "."], "folder"),
        (["--json", "none/out.json"], "none/out.json"),
        (["--out", "none/deep/out"], "none/deep"),
        (["--json", "initlab-compare/a.json"], "a results.json of its own"),
        (["--widths", "2"], "--widths: two or more"),
        (["--widths", "2,9999999,9999999,1"], "more memory than there is"),
        (["--init", "normal(std=x)"], "init 'normal(std=x)'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2_and_nothing_is_written(
    run, tmp_path, arguments, message
):
    status, out, err = run("compare", *arguments)

    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not out
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_is_refused(run, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("all of it")
    (tmp_path / "file").write_text("")

    foreign, _, first = run("compare", *QUICK, "--out", "precious")
    occupied, _, second = run("compare", *QUICK, "--out", "file")

    assert (foreign, occupied) == (2, 2)
    assert "not written by initlab" in first
    assert "not a folder" in second
    assert [p.name for p in (tmp_path / "precious").iterdir()] == ["thesis.txt"]


def test_a_folder_with_results_of_others_keeps_its_files(run, tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "thesis.txt").write_text("all of it")
    (folder / "results.json").write_text('{"files": ["thesis.txt"]}')

    status, _, err = run("compare", *QUICK, "--out", "theirs")

    assert status == 2
    assert "not written by initlab" in err
    assert (folder / "thesis.txt").read_text() == "all of it"


def test_json_goes_through_a_link_and_never_over_a_pipe(run, tmp_path):
    (tmp_path / "target.json").write_text("old")
    (tmp_path / "link.json").symlink_to("target.json")
    os.mkfifo(tmp_path / "pipe.json")

    linked, _, _ = run("compare", *QUICK, "--json", "link.json")
    piped, _, err = run("compare", *QUICK, "--json", "pipe.json")

    assert (linked, piped) == (0, 2)
    assert json.loads((tmp_path / "target.json").read_text())["results"]
    assert (tmp_path / "link.json").is_symlink()
    assert "no regular file" in err


@pytest.mark.parametrize("failing", ["write_bytes", "write_text", "to_netcdf"])
def test_a_full_disk_leaves_everything_as_it_was(run, tmp_path, monkeypatch, failing):
    run("compare", *QUICK)
    folder = tmp_path / "initlab-compare"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    home = xr.Dataset if failing == "to_netcdf" else type(tmp_path)
    monkeypatch.setattr(home, failing, full)
    status, _, err = run("compare", "--steps", "40")
    monkeypatch.undo()

    assert status == 2
    assert "No space left on device" in err
    assert err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["initlab-compare"]


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_stops_within_a_second_and_writes_nothing(tmp_path, threads):
    folder, scratch = tmp_path / "folder", tmp_path / "scratch"
    folder.mkdir()
    scratch.mkdir()
    command = [sys.executable, "-c", "from initlab.cli import main; main()", "compare"]
    running = subprocess.Popen(
        [*command, "--steps=100000000", "--engine=reference", f"--threads={threads}"],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not steps_done(scratch) and time.monotonic() < deadline:
        time.sleep(0.1)

    pressed = time.monotonic()
    os.killpg(running.pid, 2)
    err = running.communicate(timeout=20)[1]

    # A second is the promise; the rest is for a busy machine.
    assert time.monotonic() - pressed < 3
    assert running.returncode == 130
    assert err.endswith("initlab: stopped\n")
    assert "Traceback" not in err
    assert list(folder.iterdir()) == []


def steps_done(scratch):
    """Return how many steps the reference engine has counted in its scratch folder."""
    counters = list(scratch.glob("initlab-*/steps"))
    return np.fromfile(counters[0], dtype=np.int64).sum() if counters else 0


def test_help_lists_every_name_that_an_option_takes(run):
    from initlab import spec

    _, out, _ = run("compare", "--help")

    words = set(re.findall(r"\w+", out))
    for names in (
        spec.ACTIVATION_NAMES,
        spec.LOSS_NAMES,
        spec.OPTIMIZER_NAMES,
        spec.PROBLEM_NAMES,
        spec.SEEDING_NAMES,
    ):
        assert set(names) <= words


def test_remarks_on_the_data_are_printed(run, tmp_path):
    rows = "".join(f"{i},{i % 3},{'yes' if i > 20 else 'no'}\n" for i in range(40))
    (tmp_path / "data.csv").write_text("a,b,answer\n" + rows)

    status, out, _ = run("compare", *QUICK, "--problem", "data.csv")

    assert status == 0
    assert "note: labels mapped: no -> 0, yes -> 1" in out


def test_a_reader_that_leaves_is_no_error_of_ours(run, monkeypatch):
    def gone(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("initlab.cli._compare._conduct", gone)
    monkeypatch.setattr(sys.stderr, "close", lambda: None)

    status, _, err = run("compare")

    assert status == 1
    assert not err


def test_ctrl_c_is_said_in_one_line(run, monkeypatch):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("initlab.cli._compare._conduct", pressed)

    status, _, err = run("compare")

    assert status == 130
    assert err == "initlab: stopped\n"


@pytest.mark.parametrize("refusing", ["os.access", "pathlib.Path.iterdir"])
def test_a_folder_of_ours_that_is_closed_is_refused(run, monkeypatch, refusing):
    run("compare", *QUICK)

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    def read_only(_, mode):
        return mode != os.W_OK

    answer = denied if refusing.endswith("iterdir") else read_only
    monkeypatch.setattr(refusing, answer)
    status, _, err = run("compare", *QUICK)

    assert status == 2
    assert "writable" in err or "Permission denied" in err


def test_messages_name_the_option_as_typed():
    assert (
        as_typed(InvalidValueError("no", argument="batch_size")) == "--batch-size: no"
    )
    assert as_typed(InvalidValueError("no", argument="inits")) == "--init: no"
    assert as_typed(InvalidValueError("no", argument="folder")) == "folder: no"
    assert as_typed(DataError("data.csv: row 3")) == "data.csv: row 3"
    mended = InvalidValueError("no", argument="seed", use=("engine", ("lanes", "wide")))
    assert as_typed(mended) == "--seed: no; use --engine lanes or wide"
    assert str(mended) == "seed: no; use engine='lanes' or 'wide'"


LEGAL = {
    "--init": ["zeros", "he_normal(scale=2)", "normal(std=10)"],
    "--problem": ["circles", "xor", "wine", "diabetes"],
    "--widths": ["2,3,1", "13,4,3", "2,1"],
    "--activation": ["relu", "sin"],
    "--loss": ["binary_cross_entropy", "mean_squared_error"],
    "--optimizer": ["adam", "momentum"],
    "--steps": ["1", "3"],
    "--members": ["1", "2"],
    "--batch-size": ["1", "7", "10000"],
    "--learning-rate": ["0.1", "1e-300"],
    "--noise": ["0", "0.5"],
    "--examples": ["1", "2", "50"],
    "--test-fraction": ["0", "0.9"],
    "--seed": ["0", "4294967295"],
    "--seeding": ["stream"],
    "--record-every": ["1", "9"],
}
options = st.sampled_from(sorted(LEGAL)).flatmap(
    lambda option: st.tuples(
        st.just(option), st.sampled_from(LEGAL[option]) | st.text(max_size=12)
    )
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pairs=st.lists(options, min_size=1, max_size=4))
def test_any_options_end_in_a_study_or_one_line(run, pairs):
    arguments = [part for pair in pairs for part in pair]

    with mock.patch("initlab.cli._compare._conduct", fit):
        status, out, err = run("compare", *arguments)

    assert status in (0, 2)
    assert not out
    assert err.count("\n") == (status == 2)


def fit(study, *_, **__):
    """Load the data and fit the study to it, as `run` does before it trains."""
    fitted(study, problems.load(study.problem, loss=study.loss))
