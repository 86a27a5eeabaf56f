"""Terminals that cannot show everything, and files whose names are no text."""

import os
import subprocess
import sys

import pytest

import initlab as il

ROWS = "λ,π,ω\n" + "1,0,0.5\n2,1,0.25\n3,0,0.75\n" * 5


def initlab(*arguments, folder, encoding="utf-8"):
    """Run the command in a process of its own; give status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "initlab", *map(os.fsencode, arguments)],
        cwd=folder, env=os.environ | {"PYTHONIOENCODING": encoding}, check=False,
        capture_output=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize(("encoding", "score"), [("ascii", "R^2"), ("cp1252", "R²")])
def test_what_a_terminal_cannot_show_is_spelled(tmp_path, encoding, score):
    (tmp_path / "d.csv").write_text(ROWS, encoding="utf-8")

    code, out, err = initlab(
        *["compare", "--problem", "d.csv", "--steps", "10"],
        *["--init", "he_normal(label='é∂')"],
        folder=tmp_path, encoding=encoding,
    )  # fmt: skip

    assert (code, err) == (0, "")
    printed = out.decode(encoding)
    assert score in printed
    assert ("e\\u2202" if encoding == "ascii" else "é\\u2202") in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["compare", "--problem", "d\udcff.csv"],
            "name of the file is not text in UTF",
        ),
        (["signal", "--problem", "d\udcff.csv"], "name of the file is not text in UTF"),
        (["compare", "--steps", "1", "--out", "o\udcff"], "--out: "),
        (["export", "s.nc", "s\udcff.nc"], "OUT: "),
        (["power", "s\udcff.nc"], "which NetCDF needs; name another"),
    ],
)
def test_a_name_that_is_no_text_is_refused_in_one_line(tmp_path, arguments, said):
    il.run(il.Study(steps=10), store=tmp_path / "s.nc", threads=1)
    (tmp_path / "s\udcff.nc").write_bytes((tmp_path / "s.nc").read_bytes())
    (tmp_path / "d\udcff.csv").write_text(ROWS, encoding="utf-8")
    before = sorted(tmp_path.iterdir())

    code, out, err = initlab(*arguments, folder=tmp_path)

    assert (code, out) == (2, b"")
    assert said in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_pages_and_json_go_where_the_name_is_no_text(tmp_path):
    il.run(il.Study(steps=10), store=tmp_path / "s.nc", threads=1)

    code, _, _ = initlab("report", "s.nc", "--out", "p\udcff.html", folder=tmp_path)

    assert code == 0
    assert r"$&#39;p\xff.html&#39;" in (tmp_path / "p\udcff.html").read_text()
