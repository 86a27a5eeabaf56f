"""`initlab check --repair`: weights that are mended, in a file."""

import re

import pytest

from initlab import figures
from initlab.cli import main

MODEL = """
import torch
from torch import nn

def build():
    layers = [nn.Linear(16, 16) if i % 2 == 0 else nn.ReLU() for i in range(60)]
    return nn.Sequential(*layers, nn.Linear(16, 5))
"""


@pytest.fixture
def target(tmp_path, monkeypatch):
    (tmp_path / "thirty_layers.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return "thirty_layers:build"


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    return ended.value.code


def test_repaired_weights_are_written_and_sound(target, tmp_path, capsys):
    from safetensors.torch import load_file

    assert run(target, "--input", "32x16") == 1
    assert run(target, "--input", "32x16", "--repair", "out.safetensors") == 0
    printed = capsys.readouterr()
    assert "rescaled" in printed.err
    assert "initialization sound" in printed.out
    weights = load_file(tmp_path / "out.safetensors")
    assert len(weights) == 62
    code = run(target, "--input", "32x16", "--checkpoint", "out.safetensors")
    assert code == 0


def test_of_several_seeds_the_first_is_repaired_and_that_is_said(target, capsys):
    typed = (target, "--input", "32x16", "--repair", "out.safetensors")

    assert run(*typed, "--seeds", "3", "--seed", "7") == 0
    said = "written to out.safetensors: the weights of seed 7, the first of 3, which"
    assert said in capsys.readouterr().err
    assert run(*typed, "--seeds", "3", "--checkpoint", "out.safetensors") == 2
    assert "--seeds: 3 members need a function" in capsys.readouterr().err
    assert run(*typed) == 0
    assert "out.safetensors; measured again" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_refused_before_the_model_is_imported(
    target, tmp_path, capsys
):
    (tmp_path / "thirty_layers.py").write_text("raise RuntimeError('imported')")

    (tmp_path / "folder.safetensors").mkdir()

    for out, message in {
        "missing/out.safetensors": "cannot write",
        "out.pt": "must end in .safetensors, got 'out.pt'",
        "folder.safetensors": "folder.safetensors is a folder; name a file",
        "/proc/out.safetensors": "cannot write /proc/out.safetensors",
    }.items():
        assert run(target, "--input", "32x16", "--repair", out) == 2
        err = capsys.readouterr().err
        assert f"--repair: {message}" in err
        assert "importing" not in err


@pytest.fixture
def drawn(monkeypatch):
    """What pictures of checked layers were asked for."""
    asked = []

    def draw(checked, **choices):
        asked.append(choices)
        return checked_layers(checked, **choices)

    checked_layers = figures.checked_layers
    monkeypatch.setattr(figures, "checked_layers", draw)
    return asked


def test_the_page_of_a_repair_shows_both_and_what_was_changed(target, tmp_path, drawn):
    typed = (target, "--input", "32x16", "--repair", "out.safetensors")

    assert run(*typed, "--report", "repaired.html") == 0

    (choices,) = drawn
    assert "2.weight" in choices["marked"]
    assert choices["repaired"].attrs["kind"] == "check"
    page = (tmp_path / "repaired.html").read_text()
    assert "as built: not sound" in page
    assert "repaired: initialization sound" in page
    assert "What the repair changed" in page
    assert ">rescaled<" in page
    assert "as built" in page.split("<svg", 1)[1]


def test_what_is_ignored_is_on_no_page_and_not_excluded_either(
    target, tmp_path, capsys
):
    typed = (target, "--input", "32x16", "--report", "check.html")

    assert run(*typed, "--ignore", "WI05") == 0

    verdict = capsys.readouterr().out
    said = r"sound; ignored: WI05 \(with what that explains: WI07.*WI11\); excluded:"
    assert re.search(said, verdict)
    # Nor is what the ignored finding explains.
    for name in ("wrong gain", "depth budget", "correlation collapse"):
        assert name not in verdict
    assert "WI05 wrong gain" not in (tmp_path / "check.html").read_text()
