"""`initlab run | status | export | merge | report`, as typed."""

import json
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import initlab as il

STUDY = """
# Comments are welcome.
inits = ["zeros", "he_normal"]
members = 6
steps = 20
shard_members = 4

[network]
width = 4

[grid]
network.depth = [1, 2]
learning_rate = [0.1, 1.0]
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)


@pytest.mark.usefixtures("study")
def test_a_study_runs_and_says_what_it_is_and_what_came_of_it(run):
    code, out, err = run("run", "study.toml")

    assert code == 0
    assert "48 networks in 4 cells, 16 shards" in err
    assert "study.zarr: 48 of 48 networks, 0 diverged" in out
    code, _, err = run("run", "study.toml")
    assert code == 0
    assert "48 networks are there, 0 are left" in err


@pytest.mark.parametrize(
    "text",
    ["[problem]\nname = 'd.csv'", "[grid]\nproblem = ['moons', 'd.csv']"],
)
def test_data_lie_beside_the_study_wherever_the_command_is_typed(run, tmp_path, text):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "s.toml").write_text(f"steps = 2\ninits = ['zeros']\n{text}")
    (tmp_path / "mine" / "d.csv").write_text("a,b\n" + "1,0\n2,1\n" * 9)
    (tmp_path / "d.csv").write_text("of another study")

    assert run("run", "mine/s.toml")[0] == 0


def test_data_in_the_working_folder_are_found_too(run, tmp_path):
    (tmp_path / "d.csv").write_text("a,b\n" + "1,0\n2,1\n" * 9)
    run("compare", "--problem", "d.csv", "--steps", "2", "--init", "zeros")

    assert run("run", "initlab-compare/study.toml", "--store", "s.zarr")[0] == 0


@pytest.mark.usefixtures("study")
def test_the_status_says_what_is_done_and_left(run):
    run("run", "study.toml", "--shard", "1/2", "--store", "half.zarr")

    _, out, _ = run("status", "half.zarr")
    code, text, _ = run("status", "half.zarr", "--json")

    assert "24 networks" not in out.splitlines()[0]
    found = json.loads(text)
    assert code == 0
    assert found["shards_done"] == 8
    assert found["networks_done"] in (24, 32, 16)
    assert found["engine"] in ("lanes", "wide")
    assert found["writer"] is None


@pytest.mark.usefixtures("study")
def test_parts_are_merged_into_what_one_run_gives(run, tmp_path):
    for part in ("1/2", "2/2"):
        run("run", "study.toml", "--store", f"{part[0]}.zarr", "--shard", part)

    code, out, _ = run("merge", "all.zarr", "1.zarr", "2.zarr")
    run("run", "study.toml")

    assert (code, "16 of 16 are there" in out) == (0, True)
    merged, whole = (il.open_store(tmp_path / n) for n in ("all.zarr", "study.zarr"))
    for name in ("loss", "diverged_step", "gradient_norm"):
        assert merged[name].values.tobytes() == whole[name].values.tobytes()
    code, _, err = run("run", "study.toml", "--store", "all.zarr")
    assert "48 networks are there, 0 are left" in err


@pytest.mark.usefixtures("study")
def test_parts_of_another_study_are_not_merged(run, tmp_path):
    run("run", "study.toml", "--store", "1.zarr", "--shard", "1/2")
    (tmp_path / "study.toml").write_text(STUDY.replace("20", "30"))
    run("run", "study.toml", "--store", "2.zarr", "--shard", "2/2")

    code, _, err = run("merge", "all.zarr", "1.zarr", "2.zarr")

    assert code == 2
    assert "spec of 2.zarr and of 1.zarr differ" in err
    assert not (tmp_path / "all.zarr").exists()


@pytest.mark.usefixtures("study")
def test_results_are_exported_in_every_format(run, tmp_path):
    run("run", "study.toml")
    results = il.open_store(tmp_path / "study.zarr")

    for out in ("a.nc", "a.csv", "a.parquet"):
        code, said, err = run("export", "study.zarr", out)
        assert (code, out in said) == (0, True), err
    run("export", "study.zarr", "layers.csv", "--table", "layers")
    run("export", "study.zarr", "members.csv", "--table", "members")

    with xr.open_dataset(tmp_path / "a.nc") as read:
        np.testing.assert_array_equal(read.loss, results.loss)
    rows = pd.read_csv(tmp_path / "a.csv")
    keys = ["depth", "learning_rate", "init", "member", "step"]
    assert rows.columns.tolist() == [*keys, "loss", "test_accuracy", "train_accuracy"]
    series = rows.set_index(keys).loss
    for at in ((1, 0.1, "zeros", 0, 0), (2, 1.0, "he_normal", 5, 20)):
        labels = dict(zip(keys, at, strict=True))
        assert series.loc[at] == float(results.loss.sel(labels))
    parquet = pd.read_parquet(tmp_path / "a.parquet")
    assert (len(rows), len(parquet)) == (96, 96)
    # Layers that a shallow network lacks have no rows: 2 and 3 layers, not 3 and 3.
    assert len(pd.read_csv(tmp_path / "layers.csv")) == 48 * (2 + 3)
    assert len(pd.read_csv(tmp_path / "members.csv")) == 48
    assert not list(tmp_path.glob(".initlab*"))


@pytest.mark.usefixtures("study")
def test_networks_that_did_not_run_have_no_rows(run, tmp_path):
    run("run", "study.toml", "--store", "half.zarr", "--shard", "1/2")

    run("export", "half.zarr", "half.csv")

    done = json.loads(run("status", "half.zarr", "--json")[1])["networks_done"]
    assert len(pd.read_csv(tmp_path / "half.csv")) == 2 * done


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("command", ["report", "power"])
def test_networks_that_did_not_run_have_no_statistics(run, tmp_path, command):
    run("run", "study.toml", "--store", "half.zarr", "--shard", "1/2")

    code, out, err = run(command, "half.zarr")

    assert (code, out) == (2, "")
    assert "networks have not run yet; run the study to its end first" in err
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.usefixtures("study")
def test_a_page_says_how_it_and_its_store_are_made(run, tmp_path):
    run("run", "study.toml", "--store", "s.zarr")

    code, _, _ = run("report", "s.zarr", "--target", "0.6", "--out", "page.html")

    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert code == 0
    assert (
        "initlab run study.toml --store s.zarr\n"
        "initlab report s.zarr --target 0.6 --out page.html"
    ) in page
    assert "0.6, as asked" in page


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("target", ["-1", "nan", "inf"])
def test_what_is_no_loss_is_no_target(run, tmp_path, target):
    run("run", "study.toml", "--store", "s.zarr")

    code, _, err = run("report", "s.zarr", "--target", target)

    assert code == 2
    assert "--target: a finite loss of 0 or more, got" in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps = 0", "study.toml: steps: must be greater than 0, got 0"),
        ("step = 3", "study.toml: unknown key 'step'. Did you mean 'steps'?"),
        ("[network]\nfoo = 1", "study.toml: network: unknown key 'foo'. Known: act"),
        ("[network]\nactivation = 'rellu'", "network: unknown activation 'rellu'. Did"),
        ("[problem]\nnoise = -1", "problem.noise: must be greater than or equal to 0"),
        ("[grid]\nnetwork.depth = [0]", "grid.network.depth: must be greater than 0"),
        ("steps = ", "study.toml: not TOML:"),
        ("inits = []", "inits: needs at least 1, got []"),
        ("members = true", "members: must be a whole number, got True"),
        ("members = '4'", "members: must be a whole number, got '4'"),
        ("learning_rate = true", "learning_rate: must be a number, got True"),
        ("[grid]\nnetwork.depth = [1, true]", "grid.network.depth: must be a whole"),
        ("steps = 10.5", "study.toml: steps: must be a whole number, got 10.5\n"),
        ("[grid]", "grid: at least one field with a list of values, got none"),
        ("batch_size = 100000", "study study.toml: batch_size: at most the 300"),
    ],
)
def test_errors_name_the_key_what_is_allowed_and_what_arrived(
    run, tmp_path, text, said
):
    (tmp_path / "study.toml").write_text(text)

    code, _, err = run("run", "study.toml")

    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "none.toml"], "none.toml: No such file"),
        (["run", "study.toml", "--shard", "3/2"], "--shard: i/n with 1 <= i <= n"),
        (["run", "study.toml", "--engine", "lane"], "Did you mean 'lanes'?"),
        (["run", "study.toml", "--store", "a.txt"], "must end in .zarr, got 'a.txt'"),
        (["run", "study.toml", "--store", "a.nc"], "--store: must end in .zarr, got"),
        (["run", "study.toml", "--store", "no/deep/a.zarr"], "does not exist"),
        (["run", "study.toml", "--store", "foo://a.zarr"], "foo"),
        (["status", "none.zarr"], "there is no store of initlab's at none.zarr"),
        (["status", "study.toml"], "study.toml, and that is a study: run it first"),
        (["report", "none.zarr"], "name a .zarr folder that initlab run wrote"),
        (["report", ""], "there is no store of initlab's at an empty name"),
        (["export", "none.zarr", "a.xls"], "OUT: must end in .nc, .csv, .parquet"),
        (["merge", "a.zarr", "none.zarr"], "no store of initlab's at none.zarr"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run, arguments, said):
    code, _, err = run(*arguments)

    assert code == 2
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("out", ["none/x.html", "folder"])
def test_a_page_that_cannot_be_written_is_refused_before_it_is_made(
    run, tmp_path, monkeypatch, out
):
    il.run(il.Study(steps=10), store=tmp_path / "a.zarr", threads=1).close()
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("initlab.figures.loss_curves", pytest.fail)

    code, _, err = run("report", "a.zarr", "--out", out)

    assert code == 2
    assert err.startswith("initlab: --out: ")
    assert out in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "a.nc", "--out", "a.nc"], "--out: must end in .html or .htm, got"),
        (["report", "a.nc", "--out", "study.toml"], "got 'study.toml'"),
        (["report", "a.nc", "--out", "a.html"], "--out: a.html is what is read"),
        (["report", "b.zarr", "--out", "b.zarr/x.html"], "is in b.zarr, which is read"),
        (["export", "a.nc", "a.nc"], "OUT: a.nc is what is read; name another file"),
        (["compare", "--problem", "d.csv", "--json", "d.csv"], "end in .json, got"),
        (["compare", "--problem", "d.csv", "--json", "d.json"], "is what is read"),
        (["signal", "--problem", "d.csv", "--json", "d.csv"], "end in .json, got"),
    ],
)
def test_an_output_is_no_input_and_has_the_ending_of_what_it_is(
    run, tmp_path, arguments, said
):
    il.run(il.Study(steps=10), store=tmp_path / "a.nc", threads=1)
    il.run(il.Study(steps=10), store=tmp_path / "b.zarr", threads=1).close()
    (tmp_path / "a.html").symlink_to("a.nc")
    (tmp_path / "d.csv").write_text("a,b\n" + "1,0\n2,1\n" * 9)
    (tmp_path / "d.json").symlink_to("d.csv")
    before = contents(tmp_path)

    code, _, err = run(*arguments)

    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert contents(tmp_path) == before


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_table_of_a_format_without_tables_is_refused(run, tmp_path):
    il.run(il.Study(steps=10), store=tmp_path / "a.zarr", threads=1).close()

    code, _, err = run("export", "a.zarr", "x.nc", "--table", "members")

    assert code == 2
    assert "--table: .nc has everything, so 'members' would change nothing" in err
    assert not (tmp_path / "x.nc").exists()
    assert run("export", "a.zarr", "x.nc")[0] == 0


def test_a_study_of_days_needs_a_yes_and_an_impossible_one_is_refused(run, tmp_path):
    long = STUDY.replace("steps = 20", "steps = 1000000\nrecord_every = 100000")
    (tmp_path / "long.toml").write_text(long.replace("members = 6", "members = 20000"))
    huge = STUDY.replace("members = 6", "members = 9999999\nrecord_every = 1")
    (tmp_path / "huge.toml").write_text(huge)

    code, _, err = run("run", "long.toml")
    assert code == 2
    assert "h on this machine" in err
    assert err.count("\n") == 1
    assert "add --yes" in err
    code, _, err = run("run", "huge.toml", "--yes")
    assert code == 2
    assert "are free in" in err
    assert {path.suffix for path in tmp_path.iterdir()} == {".toml"}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stop_is_one_line_and_the_same_command_resumes(tmp_path, number, code):
    (tmp_path / "study.toml").write_text(STUDY.replace("20", "200000"))
    arguments = ["-c", "from initlab.cli import main; main()", "run", "study.toml"]
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path, text=True, stderr=subprocess.PIPE
    )
    assert "networks in 4 cells" in process.stderr.readline()
    while not (tmp_path / "study.zarr/zarr.json").exists():
        assert process.poll() is None

    process.send_signal(getattr(signal, number))
    _, said = process.communicate()

    assert process.returncode == code
    assert said.startswith("initlab: stopped: ")
    assert "of 48 networks are in study.zarr; the same command resumes" in said
    assert said.count("\n") == 1
