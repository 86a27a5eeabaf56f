"""docs/studies.md and docs/cluster.md: commands in their order, and files that work."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import initlab as il

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
STUDIES = BLOCK.findall((DOCS / "studies.md").read_text(encoding="utf-8"))
CLUSTER = BLOCK.findall((DOCS / "cluster.md").read_text(encoding="utf-8"))
STUDY = next(body for kind, body in STUDIES if kind == "toml")
SMALL = """
inits = ["zeros", "he_normal"]
members = 4
steps = 20
shard_members = 2
"""


@pytest.fixture
def shell(tmp_path):
    """Run a command line as a user would, with our own `initlab` first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = f'#!/bin/sh\nexec {sys.executable} -c "{_MAIN}" "$@"\n'
    (folder / "initlab").write_text(program)
    (folder / "initlab").chmod(0o755)

    def run(line, **variables):
        found = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"} | variables
        ended = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=found, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return run


_MAIN = "from initlab.cli import main; main()"


def commands(blocks):
    return [line for kind, body in blocks if kind == "sh" for line in body.splitlines()]


def test_the_pages_study_is_one():
    study = il.from_toml(STUDY)

    assert study.dimensions == ("depth", "learning_rate")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["studies", "cluster"])
def test_the_pages_commands_run_in_their_order(page, shell, tmp_path):
    text, blocks = {"studies": (STUDY, STUDIES), "cluster": (SMALL, CLUSTER)}[page]
    (tmp_path / "study.toml").write_text(text)

    for line in commands(blocks):
        printed = shell(line)

        assert printed or not line.startswith("initlab")


@pytest.mark.parametrize("file", sorted(DOCS.glob("cluster/*.sbatch")), ids=str)
def test_job_scripts_are_bash(file):
    subprocess.run(["bash", "-n", file], check=True)


@pytest.mark.parametrize("file", sorted(DOCS.glob("cluster/*.yaml")), ids=str)
def test_manifests_are_yaml_and_their_selectors_meet(file):
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))

    assert {"apiVersion", "kind", "metadata", "spec"} <= set.intersection(
        *map(set, documents)
    )
    for each in documents:
        if each["kind"] == "Deployment":
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert each["spec"]["selector"]["matchLabels"] == labels


def test_options_in_the_files_are_ours():
    from typer.main import get_command

    from initlab.cli import app

    known = {
        option
        for parameter in get_command(app).commands["run"].params
        for option in parameter.opts
    }
    for file in DOCS.glob("cluster/*.*"):
        text = file.read_text(encoding="utf-8")
        for _, call in re.findall(
            r"(initlab run|- run)\b(.*?)(?:\n\n|&|\Z)", text, re.S
        ):
            ours = call.partition("resources")[0]
            assert set(re.findall(r"--[a-z-]+", ours)) <= known, file


@pytest.mark.slow
def test_a_job_array_and_its_merge_give_the_study(shell, tmp_path):
    (tmp_path / "study.toml").write_text(SMALL)

    for number in ("1", "2"):
        shell(
            f"bash {DOCS}/cluster/array.sbatch", SLURM_ARRAY_TASK_ID=number,
            SLURM_ARRAY_TASK_COUNT="2",
        )  # fmt: skip
    printed = shell(f"bash {DOCS}/cluster/merge.sbatch")

    assert "8 of 8 networks" in printed
