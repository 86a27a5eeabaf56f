"""Findings are made of a dataset alone: no model, and no torch, is needed."""

import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest
import torch
import xarray as xr
from torch import nn

from initlab import pytorch, reports
from initlab.analysis.findings import CHECKS, Finding, find
from initlab.analysis.findings._causes import consequences_of
from initlab.messages import FINDINGS, FindingCause
from initlab.results import write_netcdf

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def diagnosis():
    torch.manual_seed(0)
    layers = [nn.Linear(32, 32) if i % 2 == 0 else nn.ReLU() for i in range(40)]
    return pytorch.check(nn.Sequential(*layers, nn.Linear(32, 4)), torch.randn(16, 32))


def test_a_dataset_from_a_file_gives_the_same_findings_and_page(diagnosis, tmp_path):
    write_netcdf(diagnosis.dataset, tmp_path / "check.nc")
    kept = xr.load_dataset(tmp_path / "check.nc")

    again = find(kept)

    assert [str(one) for one in again] == [str(one) for one in diagnosis.findings]
    assert again[0].id == "WI05"
    assert "WI05" in reports.report(kept, tmp_path / "check.html").read_text()


def test_judging_loads_no_torch():
    code = "import initlab.analysis.findings, sys; print('torch' in sys.modules)"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert ended.stdout.strip() == "False"


def test_what_fewer_than_half_of_the_seeds_show_is_info():
    seeds = iter(range(100))

    def make():
        # Every third model has a loud layer.
        model = nn.Sequential(
            *[nn.Linear(32, 32) if i % 2 == 0 else nn.ReLU() for i in range(9)],
            nn.Linear(32, 4),
        )
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
        if next(seeds) % 3 == 2:
            with torch.no_grad():
                model[4].weight.mul_(100)
        return model

    found = pytorch.check(make, torch.randn(16, 32), seeds=3).findings

    loud = [one for one in found if one.parameter == "4.weight" and one.id == "WI05"]
    assert [(one.severity, one.found_in) for one in loud] == [("info", (1, 3))]


def test_every_check_has_a_name_and_every_cause_its_words():
    assert list(CHECKS) == [f"WI{number:02}" for number in range(1, 26)]
    assert set(FINDINGS) == set(get_args(FindingCause))
    for words in FINDINGS.values():
        assert words.sentence
        assert words.formula
        assert words.fix


def test_what_is_for_information_explains_nothing():
    warned = Finding(id="WI05", severity="warning", cause="one_layer", module="0")
    told = replace(warned, severity="info")

    assert "WI14" in consequences_of(warned)
    assert not consequences_of(told)
