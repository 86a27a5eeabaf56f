"""`initlab check`: exit status, what it prints, and what it refuses."""

import json
import sys

import pytest

from initlab.cli import main

MODELS = """
import torch
from torch import nn

def sound():
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

def unsound():
    model = sound()
    nn.init.ones_(model[0].weight)
    return model

def needs(width):
    return nn.Linear(width, width)

words = nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 50))
number = 3
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder with models, as the current one."""
    (tmp_path / "somebodys_models.py").write_text(MODELS)
    (tmp_path / "without_models.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("somebodys_models", None)
    sys.modules.pop("without_models", None)


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    return ended.value.code


@pytest.mark.usefixtures("models")
def test_a_sound_model_exits_0_and_says_where_to_look(capsys):
    assert run("somebodys_models:sound", "--input", "32x16", "--classes", "4") == 0

    out, err = capsys.readouterr()
    assert "initialization sound; excluded:" in out
    assert "look at the learning rate" in out
    assert "importing somebodys_models" in err


@pytest.mark.usefixtures("models")
def test_findings_exit_1_unless_ignored_or_under_the_bar(capsys):
    typed = ("somebodys_models:unsound", "--input", "32x16")

    assert run(*typed) == 1
    assert "fix WI02 0.weight" in capsys.readouterr().out
    # `0` is the layer that was planted; what follows from it is not listed.
    assert run(*typed, "--ignore", "WI02", "--ignore", "WI05", "--ignore", "WI14") == 0


def test_settings_may_stand_in_pyproject(models):
    (models / "pyproject.toml").write_text(
        "[tool.initlab.check]\ninput = ['32x16']\n"
        "ignore = ['WI02', 'WI05', 'WI14']\nfail-on = 'error'\n"
    )

    assert run("somebodys_models:unsound") == 0
    assert run("somebodys_models:unsound", "--ignore", "WI15") == 1


def test_json_and_page_are_written(models, capsys):
    assert run("somebodys_models:unsound", "--input", "32x16", "--json", "-",
               "--report", "page.html") == 1  # fmt: skip

    assert json.loads(capsys.readouterr().out)["findings"][0]["id"] == "WI02"
    assert "Starting weights of Sequential" in (models / "page.html").read_text()


@pytest.mark.usefixtures("models")
def test_tokens_models_and_checkpoints():
    import torch
    from safetensors.torch import save_file

    weights = torch.nn.Sequential(
        torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)
    ).state_dict()
    torch.nn.init.ones_(weights["0.weight"])
    save_file(weights, "weights.safetensors")
    torch.save(weights, "weights.pt")

    assert run("somebodys_models:words", "--tokens", "8x12:50") == 0
    for name in ("weights.safetensors", "weights.pt"):
        typed = ("--input", "32x16", "--checkpoint", name)
        assert run("somebodys_models:sound", *typed) == 1


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("somebodys_models:sound",), "--input: the shape of what the model is given"),
        (("somebodys_models:sound", "--input", "8y3"), "positive sizes with x"),
        (("somebodys_models:sound", "--input", "8x3"), "in 0 (Linear): RuntimeError"),
        (("somebodys_models:soun", "--input", "8x16"), "it has needs, sound, unsound"),
        (("without_models:build", "--input", "8x16"), "it has nothing to call"),
        (("somebodys_models:number", "--input", "8x16"), "got int number"),
        (("somebodys_models:needs", "--input", "8x16"), "must need no arguments"),
        (("nobodys_models:build", "--input", "8x16"), "No module named"),
        (("models.py:build", "--input", "8x16"), "try models:build"),
        (("somebodys_models:sound", "--input", "8x16", "--ignore", "WI99"), "WI99"),
        (("somebodys_models:sound", "--input", "8x16", "--fail-on", "x"), "severity"),
        (("somebodys_models:sound", "--input", "8x16", "--dtype", "int8"), "dtype"),
        (("somebodys_models:sound", "--input", "8x16", "--device", "x"), "--device"),
        (("somebodys_models:sound", "--tokens", "8x16"), "--tokens: a shape and"),
        (("somebodys_models:words", "--tokens", "8x9:50", "--seeds", "2"), "--seeds"),
        (("somebodys_models:sound", "--input", "8x16", "--checkpoint", "no.pt"),
         "there is no file"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_exits_2_in_one_line(capsys, arguments, message):
    assert run(*arguments) == 2

    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_pickles_are_never_run(models, capsys):
    import pickle

    class Runs:
        def __reduce__(self):
            return (print, ("this ran",))

    (models / "evil.pt").write_bytes(pickle.dumps({"0.weight": Runs()}))

    typed = ("--input", "8x16", "--checkpoint", "evil.pt")
    assert run("somebodys_models:sound", *typed) == 2
    assert "this ran" not in capsys.readouterr().out
