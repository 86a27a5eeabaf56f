"""Compiled kernels on disk: found again, never stale, never half."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import initlab.engine
from initlab.engine import _compile_apart, _kernels
from initlab.engine._target import host

SOURCES = Path(initlab.engine.__file__).parent
# A training in a process of its own; prints whether Numba was imported for it.
TRAINING = """
import sys
import initlab as il
study = il.Study(inits=["he_normal"], steps=20, network=il.MLP(widths=(2, 3, 1)))
loss = il.run(study, engine="lanes", threads=1).loss.values
print(loss.tobytes().hex(), "numba" in sys.modules)
"""


def training(cache, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING],
        env={**os.environ, "INITLAB_CACHE": str(cache), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def outcome(process):
    """Return what a training printed: its numbers, and whether Numba was imported."""
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.split()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Return a cache that two first runs at once have filled, and what they printed."""
    cache = tmp_path_factory.mktemp("kernels")
    first, second = [training(cache) for _ in range(2)]
    return cache, outcome(first), outcome(second)


@pytest.mark.slow
def test_two_first_runs_at_once_agree_and_leave_whole_files(filled):
    cache, first, second = filled

    assert first == second
    assert [path.suffix for path in cache.iterdir()] == [".o", ".o"]


@pytest.mark.slow
def test_later_processes_do_not_import_numba(filled):
    cache, first, _ = filled

    assert outcome(training(cache)) == first
    assert first[1] == "False"  # nor does the first: it is compiled elsewhere


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "changed", "empty"])
def test_a_damaged_file_is_made_anew(filled, tmp_path, damage):
    cache, first, _ = filled
    stored, other = sorted(cache.iterdir())
    shutil.copy(other, tmp_path)
    whole = stored.read_bytes()
    broken = {
        "truncated": whole[:-1],
        "changed": whole[:-1] + bytes([whole[-1] ^ 1]),
        "empty": b"",
    }[damage]
    (tmp_path / stored.name).write_bytes(broken)

    again = outcome(training(tmp_path))

    assert again == first
    assert (tmp_path / stored.name).stat().st_size == len(whole)


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_costs_only_time(filled, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.touch()

    assert outcome(training(in_the_way / "kernels")) == filled[1]


@pytest.mark.slow
def test_paths_that_imports_ignore_hinder_no_compilation(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, Path("/somewhere"), None])
    monkeypatch.setattr(_compile_apart, "_PROGRAM", "import sys; print(sys.argv[1])")

    told, _ = _compile_apart._begun("float64", host(), ["train"]).communicate()

    path, *_ = json.loads(told)
    assert path == [each for each in sys.path if isinstance(each, str)]


def test_without_processes_kernels_are_compiled_here(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))

    (here,) = _compile_apart.compiled("float64", host(), [("train", "activate")])

    (stored,) = filled[0].glob("float64-*-train-*.o")
    # Numba optimizes here what it does not there; the kernels do the same.
    assert len(here) > len(stored.read_bytes()) / 2


@pytest.mark.parametrize("name", _kernels._SOURCES)
def test_an_edited_source_changes_the_key(name, tmp_path, monkeypatch):
    for source in _kernels._SOURCES:
        shutil.copy(SOURCES / source, tmp_path)
    monkeypatch.setattr(_kernels, "__file__", str(tmp_path / "_kernels.py"))
    before = _kernels._key("float64", host())

    with (tmp_path / name).open("a") as edited:
        edited.write("# an edited callee\n")

    assert _kernels._key("float64", host()) != before


def test_the_key_covers_every_file_that_kernels_are_made_of():
    seen, waiting = set(), ["_compile_apart.py", "_library.py"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        text = (SOURCES / name).read_text()
        waiting += [
            other.name
            for other in SOURCES.glob("_*.py")
            if f"initlab.engine.{other.stem} import" in text
            or f"import {other.stem}" in text
        ]

    assert seen - {"__init__.py"} <= set(_kernels._SOURCES)


def test_the_key_covers_precision_width_and_processor():
    keys = {
        _kernels._key(precision, host(bits))
        for precision in _kernels.PRECISIONS
        for bits in (128, 256, 512)
    }

    assert len(keys) == 6
