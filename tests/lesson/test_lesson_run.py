"""`initlab lesson run` and `here`: what is written, what is refused."""

import json
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from initlab.cli import main
from initlab.errors import DataError, OutputError
from initlab.lesson import here, run


def notebook_of(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def written(folder, *sources, name="a lesson.ipynb"):
    path = folder / name
    nbformat.write(notebook_of(*sources), path)
    return path


def test_the_notebook_is_never_written_to(tmp_path):
    path = written(tmp_path, "print(6 * 7)")
    before = path.read_bytes()

    report = run(path)

    assert path.read_bytes() == before
    assert report.executed == tmp_path / "a lesson.executed.ipynb"
    executed = nbformat.read(report.executed, as_version=4)
    assert executed.cells[0].outputs[0].text == "42\n"


def test_cells_after_an_error_still_run(tmp_path):
    report = run(written(tmp_path, "1 / 0", "print('on')"))

    assert report.ran == 2
    assert [(each.cell, each.name) for each in report.errors] == [
        (1, "ZeroDivisionError")
    ]


def test_a_cell_that_does_not_end_is_ended(tmp_path):
    report = run(written(tmp_path, "while True: pass", "print('on')"), timeout=2)

    assert report.errors[0].cell == 1
    assert report.executed.exists()


def test_a_dead_kernel_is_reported_and_what_ran_is_kept(tmp_path):
    report = run(written(tmp_path, "print(1)", "import os; os._exit(1)", "print(3)"))

    assert report.errors[0].cell == 2
    assert report.errors[0].name == "DeadKernel"
    executed = nbformat.read(report.executed, as_version=4)
    assert executed.cells[0].outputs[0].text == "1\n"


def test_a_second_run_replaces_the_copy_of_the_first(tmp_path):
    path = written(tmp_path, "print(1)")
    run(path)

    assert run(path).errors == ()


def test_a_file_of_that_name_that_is_not_ours_is_kept(tmp_path):
    path = written(tmp_path, "print(1)")
    other = written(tmp_path, "mine", name="a lesson.executed.ipynb")
    before = other.read_bytes()

    with pytest.raises(OutputError, match="not written by this command"):
        run(path)

    assert other.read_bytes() == before


def test_the_notebook_cannot_be_its_own_copy(tmp_path):
    path = written(tmp_path, "print(1)")

    with pytest.raises(OutputError, match="the notebook itself"):
        run(path, output=path)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.ipynb", "", "is empty"),
        ("a.ipynb", "{", "no JSON"),
        ("a.ipynb", "[1, 2]", "has no cells"),
        ("a.ipynb", '{"cells": [{"cell_type": 3}], "nbformat": 4}', "no notebook"),
        ("a.md", "# text", "must end in .ipynb or .py"),
        (
            "a.ipynb",
            json.dumps(
                {
                    "cells": [],
                    "nbformat": 4,
                    "metadata": {"kernelspec": {"language": "R", "name": "ir"}},
                }
            ),
            "only Python",
        ),
    ],
)
def test_what_is_no_python_notebook_is_refused(name, text, says, tmp_path):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(DataError, match=says):
        run(path)

    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_html_holds_its_pictures_and_nothing_from_outside(tmp_path):
    path = written(
        tmp_path, "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()"
    )

    report = run(path, html=True)

    page = report.html.read_text(encoding="utf-8")
    assert "data:image/png;base64" in page
    assert "<script src=" not in page
    assert 'href="http' not in page.split("<body")[0]


def test_the_users_start_up_files_and_backends_do_not_matter(tmp_path, monkeypatch):
    profile = tmp_path / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "00.py").write_text("started = 1\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLBACKEND", "TkAgg")

    report = run(
        written(
            tmp_path,
            "%matplotlib qt",
            "import matplotlib.pyplot as plt; plt.plot([1]); plt.show()",
            "assert 'started' not in globals()",
        )
    )

    assert report.errors == ()


def test_the_command_exits_1_if_a_cell_failed_and_0_if_none_did(tmp_path, capsys):
    statuses = []
    for source in ("print(1)", "1 / 0"):
        with pytest.raises(SystemExit) as ended:
            main(["lesson", "run", str(written(tmp_path, source))])
        statuses.append(ended.value.code)

    assert statuses == [0, 1]
    assert "cell 1 failed: ZeroDivisionError" in capsys.readouterr().out


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["lesson", "run", str(tmp_path / "nothing.ipynb")])

    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert "No such file" in message
    assert message.count("\n") == 1


@pytest.mark.slow
def test_ctrl_c_ends_it_soon_with_its_kernel(tmp_path):
    began = tmp_path / "began"
    path = written(tmp_path, f"import time; open({str(began)!r}, 'x'); time.sleep(60)")
    command = [sys.executable, "-c", "from initlab.cli import main; main()"]
    running = subprocess.Popen(
        [*command, "lesson", "run", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    patience = time.monotonic() + 60  # kernels take seconds to start, under load more
    while not began.exists() and time.monotonic() < patience:
        time.sleep(0.05)

    stopped = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=20)

    assert time.monotonic() - stopped < 5
    assert running.returncode == 130
    assert error.strip().splitlines()[-1] == "initlab: stopped"
    assert not (tmp_path / "a lesson.executed.ipynb").exists()


def test_here_writes_what_is_missing_and_nothing_else(tmp_path):
    (tmp_path / "test_utils.py").write_text("mine = 1\n")
    written(tmp_path, "from reg_utils import *\nimport numpy")

    made, kept = here(tmp_path)

    names = {str(path.relative_to(tmp_path)) for path in made}
    assert names == {
        "init_utils.py",
        "public_tests.py",
        "dlai_tools/testing_utils.py",
        "reg_utils.py",
    }
    assert [path.name for path in kept] == ["test_utils.py"]
    assert (tmp_path / "test_utils.py").read_text() == "mine = 1\n"
    assert here(tmp_path)[0] == []


def test_here_refuses_a_folder_that_is_none(tmp_path):
    with pytest.raises(OutputError, match="is no folder"):
        here(tmp_path / "nowhere")
