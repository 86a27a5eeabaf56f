"""`initlab signal` as a user types it: output, folder, JSON, refusals."""

import json
import tomllib

import pytest
import xarray as xr

QUICK = ("--depth", "6", "--width", "30", "--members", "3", "--examples", "20")


def test_it_prints_a_verdict_for_each_init_and_writes_the_folder(run, tmp_path):
    status, out, _ = run("signal", *QUICK, "--init", "he_normal", "--init", "zeros")

    assert status == 0
    words = " ".join(out.split())
    assert "he_normal: critical: squared gradients" in words
    assert "zeros: all 30 units of layer 1 are copies of each other" in words
    folder = tmp_path / "initlab-signal"
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "results.json", "results.nc", "study.toml"} <= names
    for picture in ("signal_profiles", "activation_histograms"):
        assert {f"{picture}.png", f"{picture}.svg"} <= names
    with xr.open_dataset(folder / "results.nc", engine="netcdf4") as opened:
        assert opened.sizes["layer"] == 6
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "initlab signal --depth 6" in page
    assert "6 layers of 30 units" in page


def test_json_has_measured_and_expected_numbers_layer_by_layer(run):
    status, out, _ = run(
        "signal", *QUICK, "--activation", "tanh", "--init", "lecun_normal",
        "--json", "-",
    )  # fmt: skip

    (entry,) = json.loads(out)["results"]
    assert status == 0
    assert entry["what_happens"].startswith("critical")
    assert len(entry["layers"]["activation_rms"]) == 6
    assert entry["layers"]["chi"][-1] is None
    assert entry["expected"]["predicted_chi"][2] == pytest.approx(
        entry["layers"]["chi"][2], rel=0.3
    )


def test_a_folder_of_compare_is_taken_over_and_its_pictures_go(run, tmp_path):
    assert run("compare", "--steps", "20", "--out", "both")[0] == 0

    status, _, _ = run("signal", *QUICK, "--out", "both")

    assert status == 0
    assert not (tmp_path / "both" / "loss_curves.png").exists()
    assert (tmp_path / "both" / "signal_profiles.png").exists()


def test_a_problems_inputs_are_sent_through(run):
    status, out, _ = run(
        "signal", "--problem", "wine", "--standardize", "--widths", "13,20,20,3",
        "--members", "2",
    )  # fmt: skip

    assert status == 0
    assert "lecun_normal" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--init", "he_norml"], "Did you mean 'he_normal'"),
        (["--activation", "rellu"], "Did you mean 'relu'"),
        (["--widths", "4"], "--widths: two or more whole numbers"),
        (["--depth", "0"], "--depth: must be at least 1"),
        (["--depth", "x"], "--depth: must be a whole number"),
        (["--init", "zeros(label=a/b)"], "zeros(label='a/b')"),
        (
            ["--preset", "product", "--depth", "3"],
            "--depth: has no effect beside --preset",
        ),
        (
            ["--widths", "2,2", "--width", "2"],
            "--width: has no effect beside --widths",
        ),
        (
            ["--seeding", "legacy", "--seed", "4294967295"],
            "--seed: legacy seeds end at 4294967295",
        ),
        (["--members", "0"], "--members: must be greater than 0"),
        (["--examples", "1"], "--examples"),
        (
            ["--problem", "circles", "--widths", "3,5"],
            "--widths: the first is the number of features, 2 for circles, got 3",
        ),
        (["--preset", "histogram"], "Did you mean 'histograms'"),
        (["--json", "initlab-signal/results.json"], "--json"),
    ],
)
def test_bad_input_ends_with_one_line_and_leaves_nothing(
    run, tmp_path, arguments, message
):
    status, out, err = run("signal", *arguments)

    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert not out
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_issues_own_example_says_what_theory_says(run):
    status, out, _ = run(
        "signal", "--depth", "50", "--width", "100", "--activation", "tanh",
        "--init", "he_normal",
    )  # fmt: skip

    words = " ".join(out.split())
    assert status == 0
    assert "he_normal: chaotic: squared gradients grow 1." in words
    assert "trainable, but lecun_normal and glorot_normal are critical here" in words


def test_without_widths_the_inputs_are_the_problems(run, tmp_path):
    status, _, _ = run("signal", "--problem", "wine", "--depth", "3", "--width", "7")

    assert status == 0
    toml = (tmp_path / "initlab-signal" / "study.toml").read_text()
    assert tomllib.loads(toml)["network"]["widths"] == [13, 7, 7, 7]


def test_of_a_single_layer_no_chain_is_judged(run):
    _, out, _ = run("signal", "--depth", "1", "--width", "3")

    assert "critical" not in out
    assert out.count("a single layer") == 2
