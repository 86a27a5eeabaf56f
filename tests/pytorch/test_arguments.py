"""Arguments of a kind that nothing takes: refused by name, before anything is done.

Each stands beside a neighbour that is taken, so that refusing everything fails too.
"""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import initlab
from initlab import pytorch
from initlab.errors import InvalidValueError, UnknownNameError

BATCH = torch.randn(32, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 10


def network(width=32):
    return nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 10))


def bits(model):
    return {name: one.numpy().tobytes() for name, one in model.state_dict().items()}


@pytest.mark.parametrize(
    "targets", ["x", LABELS.numpy(), LABELS.tolist(), 3, {}], ids=type
)
def test_targets_that_hold_no_tensor_are_refused_where_no_loss_takes_them(targets):
    with pytest.raises(
        InvalidValueError,
        match=r"^targets: tensors, got .*; give torch.as_tensor\(targets\), or a loss=",
    ):
        pytorch.check(network(), BATCH, targets=targets)

    loss = nn.functional.cross_entropy
    pytorch.check(network(), BATCH, targets=torch.as_tensor(LABELS.tolist()))
    pytorch.check(
        network(),
        BATCH,
        targets=targets,
        loss=lambda outputs, _: loss(outputs, LABELS),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"forget_bias": float("nan")}, "^forget_bias: must be a finite number, got n"),
        ({"forget_bias": float("inf")}, "^forget_bias: must be a finite number"),
        ({"forget_bias": "x"}, "^forget_bias: must be a finite number, got 'x'"),
        ({"forget_bias": None}, "^forget_bias: must be a finite number, got None"),
        ({"forget_bias": True}, "^forget_bias: must be a finite number, got True"),
        ({"device": "foo"}, "^device: a device of PyTorch's, .* got 'foo'"),
        ({"device": None}, "^device: a device of PyTorch's, .* got None"),
        ({"device": "mps"}, "^device: 'mps' cannot be used: there is none here"),
        ({"dry_run": "no"}, "^dry_run: must be True or False, got 'no'"),
    ],
)
def test_initialize_refuses_arguments_before_anything_is_written(change, message):
    model = nn.LSTM(4, 8)
    before = bits(model)

    with pytest.raises(InvalidValueError, match=message):
        pytorch.initialize_(model, "orthogonal", **change)

    assert bits(model) == before


def test_initialize_takes_numbers_and_devices_of_any_kind():
    pytorch.initialize_(
        nn.LSTM(4, 8),
        "orthogonal",
        forget_bias=np.float32(2),
        device=torch.device("cpu"),
        dry_run=np.bool_(False),
    )


@pytest.mark.parametrize(
    ("function", "entry"),
    [
        (nn.init.kaiming_normal_, "'he_normal'"),
        (partial(nn.init.xavier_uniform_, gain=2.0), "'glorot_uniform'"),
        (nn.init.trunc_normal_, r"'truncated_normal\(std=\.\.\.\)'"),
    ],
)
def test_a_function_of_torchs_is_refused_with_the_entry_that_draws_the_same(
    function, entry
):
    for init in (function, {"linear": function}):
        with pytest.raises(
            InvalidValueError,
            match=rf"^init: a name .* a function of \(shape, rng\) .*; give {entry}$",
        ):
            pytorch.initialize_(network(), init)


@pytest.mark.parametrize(
    "name", [n for n in dir(nn.init) if n.endswith("_") and n[0] != "_"]
)
def test_every_function_of_torchs_has_an_entry_that_there_is(name):
    with pytest.raises(InvalidValueError, match="; give '") as refused:
        pytorch.initialize_(network(), getattr(nn.init, name))

    entry = refused.value.message.rpartition("give '")[2].split("(")[0].rstrip("'")
    assert entry in initlab.catalog.CATALOG


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_function_that_raises_on_a_later_layer_leaves_the_first_as_it_was(dry_run):
    model = network()
    before = bits(model)

    def moody(shape, rng):
        if shape[0] == 10:
            raise ArithmeticError("not this one")
        return rng.normal(size=shape)

    with pytest.raises(ArithmeticError, match="not this one"):
        pytorch.initialize_(model, moody, dry_run=dry_run)

    assert bits(model) == before
    assert pytorch.initialize_(model, lambda shape, rng: rng.normal(size=shape)).drawn
    assert bits(model) != before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attempts": 1.5}, "^attempts: must be a whole number, got 1.5"),
        ({"attempts": 0}, "^attempts: must be at least 1, got 0"),
        ({"tolerance": "x"}, "^tolerance: must be a finite number above 0, got 'x'"),
        ({"dry_run": 0}, "^dry_run: must be True or False, got 0"),
    ],
)
def test_lsuv_refuses_arguments_of_another_kind(change, message):
    with pytest.raises(InvalidValueError, match=message):
        pytorch.lsuv_(network(), BATCH, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": -1}, "^learning_rate: must be a finite number above 0, got"),
        ({"learning_rate": float("nan")}, "^learning_rate: must be a finite number"),
        ({"learning_rate": "x"}, "^learning_rate: must be a finite number above 0"),
        ({"model": "x"}, "^model: a torch.nn.Module, got str"),
        ({"base_model": "x"}, "^base_model: a torch.nn.Module, got str"),
        ({"optimizer": torch.optim.Adam}, "^optimizer: the name .*; give 'adam'"),
        ({"optimizer": torch.optim.SGD}, "^optimizer: the name .*; give 'sgd'"),
        ({"optimizer": "adamW"}, "^optimizer: unknown optimizer|^unknown optimizer"),
    ],
)
def test_mu_p_refuses_arguments_before_anything_is_rescaled(change, message):
    model = network(64)
    before = bits(model)
    given = {"model": model, "base_model": network(16)} | change

    with pytest.raises((InvalidValueError, UnknownNameError), match=message):
        pytorch.mu_p(given.pop("model"), given.pop("base_model"), **given)

    assert bits(model) == before


@pytest.mark.parametrize("path", [None, 3])
def test_what_is_no_path_is_refused_as_one(path):
    repair = pytorch.repair_(network(), BATCH)
    results = initlab.run(initlab.Study(inits=["zeros"], steps=2))

    for write in (
        repair.before.report,
        repair.report,
        repair.save,
        partial(initlab.report, results),
    ):
        with pytest.raises(InvalidValueError, match=r"^path: a path, as text or"):
            write(path)


def test_repaired_weights_are_saved_as_safetensors_alone(tmp_path):
    repair = pytorch.repair_(network(), BATCH)

    with pytest.raises(InvalidValueError, match=r"^path: must end in \.safetensors"):
        repair.save(tmp_path / "weights.pt")
    assert repair.save(tmp_path / "weights.safetensors").is_file()


def test_the_plugin_takes_one_check_as_text_and_refuses_names_of_nothing(pytester):
    pytester.makeconftest("from initlab.pytest_plugin import init_check")
    pytester.makepyfile(
        """
        import pytest
        import torch
        from torch import nn
        from initlab.errors import UnknownNameError

        def model():
            made = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 4))
            nn.init.ones_(made[0].weight)
            return made

        BATCH = torch.randn(16, 8)

        def test_one(init_check):
            init_check(model(), BATCH, ignore="WI02,WI05", fail_on="error")

        def test_what_is_ignored_is_not_said(init_check):
            both = model()
            both.unused = nn.Parameter(torch.randn(4, 4))
            with pytest.raises(pytest.fail.Exception) as failed:
                init_check(both, BATCH, ignore="WI02")
            assert "fix WI21" in str(failed.value)
            assert "fix WI02" not in str(failed.value)

        @pytest.mark.parametrize("more, said", [
            ({"ignore": ("WI99",)}, "ignore: unknown check 'WI99'"),
            ({"fail_on": "fatal"}, "fail_on: unknown severity 'fatal'"),
        ])
        def test_names_of_nothing(init_check, more, said):
            with pytest.raises(UnknownNameError, match=said):
                init_check(model(), BATCH, **more)
        """
    )

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=4)
