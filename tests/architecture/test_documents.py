"""README and docstrings: every block runs, so they cannot lie."""

import doctest
import importlib
import json
import pkgutil
import re
import shlex
import sys
from pathlib import Path

import pytest

import initlab
from initlab.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULES = [
    module.name for module in pkgutil.walk_packages(initlab.__path__, "initlab.")
]


# Commands that belong together run in test_study_pages.py.
APART = ("studies", "cluster")
PAGES = [
    page.read_text(encoding="utf-8")
    for page in sorted(ROOT.glob("docs/*.md"))
    if page.stem not in APART
]


def blocks(kind):
    return [body for name, body in BLOCK.findall(README) if name == kind]


@pytest.mark.parametrize("name", ["initlab", *MODULES])
def test_examples_in_docstrings_run(name):
    found = doctest.testmod(importlib.import_module(name))

    assert found.failed == 0


def test_readme_has_no_block_that_nothing_runs():
    assert {name for name, _ in BLOCK.findall(README)} <= {"sh", "python", "text"}


PYTHON = [
    pytest.param(body, id=f"{page.stem}-{number}")
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
    for number, (kind, body) in enumerate(BLOCK.findall(page.read_text("utf-8")))
    if kind == "python"
]


@pytest.mark.slow
@pytest.mark.parametrize("code", PYTHON)
def test_python_in_the_documents_runs(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    exec(compile(code, "document", "exec"), {"__name__": "document"})

    assert capsys.readouterr().out


COMMANDS = [line for body in blocks("sh") for line in body.splitlines() if line]
COMMANDS += [
    line
    for page in PAGES
    for kind, body in BLOCK.findall(page)
    if kind == "sh"
    for line in body.splitlines()
    if line != "initlab lesson claims"  # half an hour; the README runs one of them
]


MODELS = """
import torch
from torch import nn


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def language():
    return nn.Sequential(nn.Embedding(61, 32), nn.LayerNorm(32), nn.Linear(32, 61))
"""


def write_submissions(folder):
    """Write what the pages' commands name: a notebook and learners' solutions."""
    program = ROOT / "tests/lesson/programs/right/classic_course_loop.py"
    solution = program.read_text(encoding="utf-8")
    (folder / "submissions").mkdir()
    for name in ("solution.py", "submissions/anna.py", "submissions/ben.py"):
        (folder / name).write_text(solution, encoding="utf-8")
    cell = {"cell_type": "code", "metadata": {}, "source": solution, "outputs": []}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 2}
    (folder / "Initialization.ipynb").write_text(json.dumps(notebook))


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", dict.fromkeys(line for line in COMMANDS if line.startswith("initlab"))
)
def test_commands_in_the_readme_run(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "measurements.csv").write_text(
        "length,width,kind\n"
        + "".join(f"{i % 7},{i % 5},{'ab'[i % 7 > 3]}\n" for i in range(60))
    )
    write_submissions(tmp_path)
    (tmp_path / "mymodels.py").write_text(MODELS, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    arguments = shlex.split(line.split("  #")[0])
    monkeypatch.setattr(sys, "argv", arguments)

    with pytest.raises(SystemExit) as ended:
        main(arguments[1:])

    sys.modules.pop("mymodels", None)
    assert ended.value.code == 0
    assert capsys.readouterr().out


def test_other_commands_in_the_readme_are_make_targets():
    makefile = (ROOT / "Makefile").read_text()

    for line in COMMANDS:
        if not line.startswith("initlab"):
            tool, target, *_ = line.split()
            assert tool == "make"
            assert f"\n{target}:" in makefile


@pytest.mark.slow
def test_the_readmes_table_is_what_the_command_prints(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    with pytest.raises(SystemExit):
        main(["compare"])

    def lines(text):
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    printed = lines(capsys.readouterr().out)
    # Its last digits are chaotic, and other processors may round otherwise.
    chaotic = re.compile(r"(normal\(std=10\)\s+1773\.59\s+)0\.38\d+")
    shown = [chaotic.sub(r"\g<1>0.38", line) for line in lines(blocks("text")[0])]
    assert shown == [chaotic.sub(r"\g<1>0.38", line) for line in printed]
