"""`initlab check`: exit status, what it prints, and what it refuses."""

import json
import sys

import pytest

from initlab.cli import main

MODELS = """
import sys
import torch
from torch import nn

def sound():
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))

def unsound():
    model = sound()
    nn.init.ones_(model[0].weight)
    return model

def chatty():
    print("32 parameters")
    return unsound()

def needs(width):
    return nn.Linear(width, width)

def one():
    return nn.Linear(16, 1)

class Nothing(nn.Linear):
    def __init__(self):
        super().__init__(16, 4)

    def forward(self, x):
        super().forward(x)

def fails():
    raise RuntimeError("no disk\\nno data")

def leaves():
    raise SystemExit(3)

def lazy():
    return nn.Sequential(nn.LazyLinear(32), nn.ReLU(), nn.LazyLinear(4))

def lazy_and_wrong():
    return nn.Sequential(nn.LazyLinear(32), nn.Linear(16, 4))

def meta():
    return nn.Linear(16, 4, device="meta")

class Leaves(nn.Linear):
    def __init__(self):
        super().__init__(16, 4)

    def forward(self, x):
        raise SystemExit(0)

class LeavesOnTheWayBack(nn.Linear):
    def __init__(self):
        super().__init__(16, 4)

    def forward(self, x):
        y = super().forward(x)
        y.register_hook(lambda gradient: sys.exit())
        return y

class Unforeseen(nn.Linear):
    def __init__(self):
        super().__init__(16, 4)

    def named_modules(self, *arguments, **more):
        raise LookupError("nobody thought of this")

class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.sound = nn.Embedding(50, 32), nn.Linear(16, 32)
        self.head = nn.Linear(32, 4)

    def forward(self, tokens, wave):
        return self.head(self.words(tokens).mean(1) + self.sound(wave))

def mistaken():
    return nn.Linear(16, 4)(None, argument=3)

words = nn.Sequential(nn.Embedding(50, 16), nn.Linear(16, 50))
number = 3
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder with models, as the current one."""
    (tmp_path / "somebodys_models.py").write_text(MODELS)
    (tmp_path / "without_models.py").write_text("")
    (tmp_path / "a_script.py").write_text("import sys; sys.exit(0)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("somebodys_models", None)
    sys.modules.pop("without_models", None)
    sys.modules.pop("a_script", None)


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
def test_a_model_without_weights_exits_0_and_is_not_said_to_be_sound(capsys):
    assert run("torch.nn:ReLU", "--input", "8x16") == 0

    assert capsys.readouterr().out.splitlines()[-1] == "no weights: nothing to judge"


@pytest.mark.usefixtures("models")
def test_findings_exit_1_unless_ignored_or_under_the_bar(capsys):
    typed = ("somebodys_models:unsound", "--input", "32x16")

    assert run(*typed) == 1
    assert "fix WI02 0.weight" in capsys.readouterr().out
    # `0` is the layer that was planted; what follows from it is not listed.
    assert run(*typed, "--ignore", "WI02", "--ignore", "WI05", "--ignore", "WI14") == 0
    assert run(*typed, "--ignore", "WI02,WI05, WI14") == 0


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("seeds", ["1", "2"])
def test_parameters_that_are_still_lazy_are_checked_when_they_are_made(capsys, seeds):
    typed = ("--input", "32x16", "--seeds", seeds)

    assert run("somebodys_models:lazy", *typed) == 0
    assert "2 weights in use" in capsys.readouterr().out


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
def test_what_a_target_prints_is_no_part_of_the_json(capsys):
    assert run("somebodys_models:chatty", "--input", "32x16", "--json", "-") == 1

    printed = capsys.readouterr()
    assert json.loads(printed.out)["findings"][0]["id"] == "WI02"
    assert "32 parameters" in printed.err


@pytest.mark.usefixtures("models")
def test_what_is_ignored_is_not_repaired(capsys):
    arguments = "somebodys_models:unsound", "--input", "32x16", "--repair"
    assert run(*arguments, "left.safetensors", "--ignore", "WI02") == 0
    assert "nothing to repair" in capsys.readouterr().err
    assert run(*arguments, "repaired.safetensors") == 0
    assert "WI02  0.weight: redrawn" in capsys.readouterr().err


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
def test_inputs_of_both_kinds_come_in_the_models_order():
    both = ("--input", "8x12:50", "--input", "8x16")

    assert run("somebodys_models:Listener", *both) == 0


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("somebodys_models:words", "--input", "8x9:x"), "--input: a shape and the nu"),
        (("somebodys_models:sound",), "--input: the shape of what the model is given"),
        (("somebodys_models:sound", "--input", "8y3"), "positive sizes with x"),
        (("somebodys_models:sound", "--input", "8x3"), "in 0 (Linear): RuntimeError"),
        (("somebodys_models:soun", "--input", "8x16"), "mean 'sound'? It has Leaves"),
        (("somebodys_models:zzz", "--input", "8x16"), "'zzz'; it has Leaves, LeavesOn"),
        (("somebodys_models:words", "--input", "8x12"),
         "its inputs are token ids: give --tokens 8x12:50"),
        (("somebodys_models:Listener", "--input", "8x16", "--tokens", "8x12:50"),
         "give inputs in the order of the model's, and the shape of token ids"),
        (("somebodys_models:words", "--input", "8x12", "--input", "8"),
         "forward takes 1 input, got 2"),
        (("without_models:build", "--input", "8x16"), "it has nothing to call"),
        (("somebodys_models:number", "--input", "8x16"), "got int number"),
        (("somebodys_models:needs", "--input", "8x16"), "must need no arguments"),
        (("somebodys_models:sound", "--input", "8x16", "--classes", "20"),
         "--classes: 20, one label per example: labels up to "),
        (("somebodys_models:sound", "--input", "1x16", "--classes", "5"),
         "--classes: 5, but outputs of shape (1, 4) are of 4; give --classes 4"),
        (("somebodys_models:one", "--input", "8x16", "--classes", "4"),
         "--classes: 4, but outputs of shape (8, 1) are of 1; leave it out"),
        (("somebodys_models:words", "--tokens", "8x12:50", "--classes", "50"),
         "--classes: 50, one label per example: shape (8,) does not fit"),
        (("somebodys_models:sound", "--input", "8x16", "--classes", "20",
          "--repair", "o.safetensors"), "--classes: 20, one label"),
        (("somebodys_models:Nothing", "--input", "8x16"),
         "model: forward returns no tensor, got None"),
        (("somebodys_models:fails", "--input", "8x16"),
         "somebodys_models:fails failed: RuntimeError: no disk"),
        (("somebodys_models:leaves", "--input", "8x16"),
         "somebodys_models:leaves called sys.exit(3) and made no model"),
        (("a_script:build", "--input", "8x16"),
         "importing a_script called sys.exit(0); put what a script does under if "
         '__name__ == "__main__":'),
        (("somebodys_models:meta", "--input", "8x16"), "on the meta device"),
        (("somebodys_models:lazy_and_wrong", "--input", "8x16"),
         "model: failed on this batch: RuntimeError: mat1 and mat2"),
        (("somebodys_models:lazy", "--input", "8x16", "--repair", "o.safetensors"),
         "0.weight is lazy and has no shape yet"),
        (("nobodys_models:build", "--input", "8x16"), "No module named"),
        (("models.py:build", "--input", "8x16"), "try models:build"),
        (("somebodys_models:sound", "--input", "8x16", "--ignore", "WI99"), "WI99"),
        (("somebodys_models:sound", "--input", "8x16", "--fail-on", "x"), "severity"),
        (("somebodys_models:sound", "--input", "8x16", "--dtype", "int8"), "dtype"),
        (("somebodys_models:sound", "--input", "8x16", "--device", "x"), "--device"),
        (("somebodys_models:sound", "--tokens", "8x16"), "--tokens: a shape and"),
        (("somebodys_models:words", "--tokens", "8x9:50", "--seeds", "2"), "--seeds"),
        (("somebodys_models:sound", "--input", "8x16", "--seeds", "0"),
         "--seeds: must be at least 1"),
        (("somebodys_models:sound", "--input", "8x16", "--seed", "x"),
         "--seed: must be a whole number"),
        (("somebodys_models:sound", "--input", "8x16", "--seed", "-1"),
         "--seed: must be from 0 to 4294967295, got -1"),
        (("somebodys_models:sound", "--input", "8x16", "--seed", str(2**70),
          "--repair", "o.safetensors"), "--seed: must be from 0 to 4294967295"),
        (("somebodys_models:sound", "--input", "8x16", "--seed", str(2**32 - 1),
          "--seeds", "2"), "--seed: must be from 0 to 4294967294 for 2 members"),
        (("somebodys_models:sound", "--input", "8x16", "--checkpoint", "no.pt"),
         "there is no file"),
        (("somebodys_models:Leaves", "--input", "8x16"),
         "model: called sys.exit(0) in Leaves, where it must return its outputs"),
        (("somebodys_models:LeavesOnTheWayBack", "--input", "8x16"),
         "LeavesOnTheWayBack called sys.exit() while it was checked"),
        (("somebodys_models:LeavesOnTheWayBack", "--input", "8x16", "--repair",
          "o.safetensors"), "called sys.exit() while it was checked"),
        (("somebodys_models:mistaken", "--input", "8x16"),
         "somebodys_models:mistaken failed: TypeError: "),
        (("somebodys_models:sound", "--input", "99999999999x16"),
         "--input: '99999999999x16' needs more memory than there is"),
        (("somebodys_models:sound", "--input", "99999999999999999999x16"),
         "needs more memory"),
        (("somebodys_models:sound", "--input", "999999x9999999"), "more memory"),
        (("somebodys_models:sound", "--input", "\uff18x16"), "positive sizes with x"),
        (("somebodys_models:words", "--tokens", "8x9:\xb2"), "--tokens: a shape and"),
        (("somebodys_models:words", "--tokens", "8x9:" + "9" * 20), "below 2**63"),
        (("somebodys_models:words", "--tokens", f"8x9:{2**63}"), "below 2**63"),
        (("somebodys_models:words", "--tokens", f"{10**9}x{10**9}:9"), "more memory"),
        (("somebodys_models:sound", "--input", "8x16", "--input", "3x3"),
         "--input: Sequential.forward takes 1 input, got 2 of --input and --tokens"),
        (("somebodys_models:words", "--tokens", "8x9:50", "--input", "3x3"),
         "takes 1 input, got 2"),
        (("somebodys_models:sound", "--input", "8x16", "--fail-on", ""),
         "--fail-on: unknown severity ''"),
        (("somebodys_models:sound", "--input", "8x16", "--ignore", "wi15"),
         "--ignore: unknown check 'wi15'. Did you mean 'WI15'?"),
        (("somebodys_models:sound", "--input", "8x16", "--device", "mps"),
         "--device: 'mps' cannot be used: there is none here; give cpu"),
        (("somebodys_models:sound", "--input", "8x16", "--device", "x"),
         "--device: a device of PyTorch's"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_exits_2_in_one_line(capsys, arguments, message):
    assert run(*arguments) == 2

    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("models")
def test_an_error_that_nobody_foresaw_is_no_verdict_and_keeps_its_traceback(capsys):
    assert run("somebodys_models:Unforeseen", "--input", "8x16") == 2

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("initlab: LookupError: nobody thought")


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("target", ["models.py:build", "somebodys_models", ":build"])
def test_a_target_that_is_not_imported_is_not_said_to_be(capsys, target):
    assert run(target, "--input", "8x16") == 2

    assert "importing" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.initlab.check]\ninput = [16]", "input in [tool.initlab.check]: a list"),
        ("[tool.initlab.check]\nignore = [15]", "ignore in [tool.initlab.check]: a"),
        ("[tool.initlab.check]\nfail-on = 3", "fail-on in [tool.initlab.check]: a st"),
        (
            "[tool.initlab.check]\nfail-on = 'no'",
            "fail-on in [tool.initlab.check]: unknown severity 'no'",
        ),
        (
            "[tool.initlab.check]\nignore = ['WI99']",
            "ignore in [tool.initlab.check]: unknown check 'WI99'",
        ),
        ("[tool.initlab]\ncheck = 5", "[tool.initlab.check] of pyproject.toml: must"),
        ("[tool]\ninitlab = 5", "[tool.initlab] of pyproject.toml: must be a table"),
        ("tool = 5", "[tool] of pyproject.toml: must be a table, got 5"),
        ("[tool.initlab.chek]\nx = 1", "pyproject.toml 'chek'. Did you mean 'check'?"),
        ("[tool.initlab.check]\nfail_on = 'error'", "Did you mean 'fail-on'?"),
    ],
)
def test_settings_of_no_kind_that_we_know_are_refused(models, capsys, text, message):
    (models / "pyproject.toml").write_text(text)

    assert run("somebodys_models:sound", "--input", "8x16") == 2

    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "model."])
def test_weights_saved_of_a_wrapped_model_are_loaded(prefix):
    import torch

    state = torch.nn.Sequential(
        torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)
    ).state_dict()
    torch.nn.init.ones_(state["0.weight"])
    torch.save({f"{prefix}{name}": one for name, one in state.items()}, "wrapped.pt")

    typed = ("--input", "32x16", "--checkpoint", "wrapped.pt")
    assert run("somebodys_models:sound", *typed) == 1


@pytest.mark.usefixtures("models")
def test_a_checkpoint_whose_keys_are_no_text_is_refused(capsys):
    import torch

    torch.save({1: torch.ones(2)}, "numbered.pt")

    typed = ("--input", "8x16", "--checkpoint", "numbered.pt")
    assert run("somebodys_models:sound", *typed) == 2
    assert "names are text, got 1; save model.state_dict()" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["text.pt", "letter.pt", "cut.pt", "text.safetensors"])
def test_a_checkpoint_that_is_none_is_said_to_be_none(models, capsys, name):
    import torch

    torch.save(torch.nn.Linear(2, 2).state_dict(), "whole.pt")
    content = {
        "text.pt": b"hello",
        "letter.pt": b"i am a text",
        "cut.pt": (models / "whole.pt").read_bytes()[:300],
        "text.safetensors": b"hello, this is a text too",
    }
    (models / name).write_bytes(content[name])

    typed = ("--input", "8x16", "--checkpoint", name)
    assert run("somebodys_models:sound", *typed) == 2
    assert f"--checkpoint: {name} is damaged or no check" in capsys.readouterr().err


@pytest.mark.usefixtures("models")
def test_a_whole_module_is_refused_without_advice_to_run_it(capsys):
    import torch

    torch.save(torch.nn.Linear(2, 2), "module.pt")

    typed = ("--input", "8x16", "--checkpoint", "module.pt")
    assert run("somebodys_models:sound", *typed) == 2
    err = capsys.readouterr().err
    assert "could run code and are never loaded: save model.state_dict()" in err
    assert "weights_only" not in err


@pytest.mark.parametrize("option", ["--report", "--json"])
@pytest.mark.parametrize("place", ["nowhere/x", "folder"])
def test_a_place_that_cannot_be_written_is_refused_before_the_model_is_imported(
    models, capsys, option, place
):
    (models / "folder").mkdir()

    assert run("a_script:build", "--input", "8x16", option, place) == 2

    err = capsys.readouterr().err
    assert f"{option}: " in err
    assert "a_script" not in err


def test_pickles_are_never_run(models, capsys):
    import pickle

    class Runs:
        def __reduce__(self):
            return (print, ("this ran",))

    (models / "evil.pt").write_bytes(pickle.dumps({"0.weight": Runs()}))

    typed = ("--input", "8x16", "--checkpoint", "evil.pt")
    assert run("somebodys_models:sound", *typed) == 2
    assert "this ran" not in capsys.readouterr().out
