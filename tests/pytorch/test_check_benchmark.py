"""A small slice of benchmarks/check: what is planted is there, and is scored right."""

import json
import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import check_calibration
from check import libraries, tables
from check.faults import FAULTS, Case, cases, manifest
from check.healthy import HEALTHY
from check.linters import LINTERS, Quiet, installed_linters
from check.naive import ThresholdLinter, WeightLinter
from check.score import (
    score_case,
    score_flips,
    score_healthy,
    score_repair,
    trained,
)
from check.subject import initial_loss
from check.tools import Flag, Initlab

every_fault = pytest.mark.parametrize("fault", FAULTS)


def test_there_are_as_many_models_and_faults_as_promised():
    assert len(HEALTHY) >= 30
    assert len(FAULTS) >= 24
    assert all(len(fault.hosts) >= 3 for fault in FAULTS.values())


def test_what_was_measured_elsewhere_ends_the_calibration_s_page():
    """The script that writes the page would lose what only stands there."""
    page = check_calibration.PAGE.read_text()

    assert page.endswith(check_calibration.ELSEWHERE.read_text())


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_model_starts_near_its_prior(name):
    subject = HEALTHY[name]

    loss = initial_loss(subject, subject.build(0), subject.batch(0, 16))

    # Of the largest prior, over 64 tokens, and of regressions with unit variance.
    assert loss < (4.2 + 0.5 if "tokens" in subject.loss.__name__ else 2.31 + 0.5)


@every_fault
def test_a_fault_lies_in_modules_that_exist(fault):
    case = Case(fault=fault, host=FAULTS[fault].hosts[0], seed=1)
    model = case.subject.build(1)

    names = {name for name, _ in model.named_modules()}
    names |= {name for name, _ in model.named_parameters()}

    assert case.where()
    assert case.where() & names


def test_a_case_is_the_same_when_it_is_built_again():
    case = Case(fault="twin units", host="vgg", seed=3)

    first, second = (case.subject.build(3).state_dict() for _ in range(2))

    assert all(torch.equal(first[name], second[name]) for name in first)


def test_building_leaves_the_global_stream_alone():
    before = torch.random.get_rng_state()

    HEALTHY["gpt"].build(0)

    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_manifest_names_checks_and_modules():
    lines = [json.loads(line) for _, line in zip(range(3), manifest(1), strict=False)]

    assert {line["model"] for line in lines} == {"mlp_relu_4", "resnet_v1", "gpt"}
    assert all(line["checks"] == ["WI01"] and line["modules"] for line in lines)
    assert len(list(cases())) >= 24 * 3 * 5


def test_a_flag_is_at_its_module_and_at_the_owner_of_its_parameter():
    where = {"layers.1"}

    assert Flag(check="WI05", module="layers.1").is_at(where)
    assert Flag(check="WI05", parameter="layers.1.weight").is_at(where)
    assert not Flag(check="WI05", module="layers.10").is_at(where)
    assert not Flag(check="WI14").is_at(where)


def test_baselines_find_the_plainest_fault_and_cry_wolf():
    case = Case(fault="not a number", host="mlp_relu_4", seed=0)

    for tool in (ThresholdLinter(), WeightLinter()):
        assert score_case(tool, case)["layer"]
        assert score_healthy(tool, HEALTHY["gpt"], 0)["warnings"]


def test_flips_are_counted_for_every_guise_that_fits():
    rows = score_flips(WeightLinter(), HEALTHY["lenet_tanh"], set(), 0)

    assert [row["variant"] for row in rows if row["flipped"]] == []
    assert "channels last" in {row["variant"] for row in rows}
    assert "in place or not" not in {row["variant"] for row in rows}


def test_a_fault_harms_training():
    healthy = HEALTHY["mlp_relu_4"]
    broken = Case(fault="zero layer", host="mlp_relu_4", seed=0).subject

    losses = [trained(one, one.build(0), steps=60) for one in (healthy, broken)]

    assert losses[0] < 0.5 * losses[1]


@every_fault
def test_a_planted_fault_is_named_where_it_is(fault):
    # The host that is quickest to run; the whole is `make bench-check`.
    quick = [one for one in FAULTS[fault].hosts if HEALTHY[one].family != "residual"]
    host = min(quick or FAULTS[fault].hosts, key=_parameters)

    row = score_case(Initlab(), Case(fault=fault, host=host, seed=0))

    assert row["failed"] == ""
    assert row["check"], row
    assert row["layer"], row


def _parameters(name):
    return sum(one.numel() for one in HEALTHY[name].build(0).parameters())


@pytest.mark.parametrize(
    "name",
    ["mlp_relu_4", "mlp_default_3", "autoencoder", "embedding_bag", "alexnet",
     "mobilenet_se", "fixup", "vit", "post_norm", "lstm", "tied_lstm", "siren"],
)  # fmt: skip
def test_a_healthy_model_is_left_in_peace(name):
    row = score_healthy(Initlab(), HEALTHY[name], 1)

    assert (row["errors"], row["warnings"], row["failed"]) == ([], [], "")


def test_a_repaired_model_trains_lower():
    row = score_repair(
        Initlab(), Case(fault="zero layer", host="mlp_relu_4", seed=0), steps=40
    )

    assert row["changed"]
    assert row["lower"]


def test_libraries_that_are_not_here_are_named_in_one_sentence(monkeypatch):
    monkeypatch.setattr(libraries, "_is_here", lambda _name: False)

    assert [*libraries.installed()] == []
    assert libraries.versions() == {}
    (_, sentence) = [*tables.of_libraries({"tools": {}})]
    assert sentence == "Not measured: no such library was installed."


def test_models_of_libraries_have_a_row_of_their_own():
    rows = [
        {"model": "timm.a", "family": "timm", "errors": [], "warnings": ["WI14"],
         "failed": "", "seconds": 2.0},
        {"model": "timm.b", "family": "timm", "errors": [], "warnings": [],
         "failed": "", "seconds": 4.0},
    ]  # fmt: skip
    results = {"tools": {"initlab 1": {"libraries": rows}}, "libraries": "timm 1"}

    text = "\n".join(tables.of_libraries(results))

    assert "| initlab 1 | timm | 0 of 2 (0.0%) | 1 of 2 (50.0%)" in text
    assert "timm.a (WI14)" in text


@pytest.mark.parametrize("linter", LINTERS, ids=lambda one: one.name)
def test_a_linters_finding_counts_for_all_that_it_could_be_about(linter):
    for word, checks in linter.checks.items():
        flags = list(linter.flags(word, "WARNING", "layer", "layer.weight"))
        assert [one.check for one in flags] == list(checks)
        assert all(one.blames() and one.is_at({"layer"}) for one in flags)
        assert set(checks) <= {f"WI{number:02}" for number in range(1, 26)}
    assert list(linter.flags("a matter of weight decay", "ERROR", None)) == []


def test_a_linter_prints_nothing_while_it_judges(capsys):
    class Talkative:
        name, version, package = "talkative", "1", "talkative"

        def judge(self, *_):
            print("all is well")
            return [Flag(check="WI01")]

    assert Quiet(Talkative()).judge(None, None, None) == [Flag(check="WI01")]
    assert capsys.readouterr().out == ""
    assert {one.name for one in installed_linters()} <= {one.name for one in LINTERS}
