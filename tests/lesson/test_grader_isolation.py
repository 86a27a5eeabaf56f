"""What a program may not do, tried by programs that are right only if they fail."""

import contextlib
import os
import platform
import sys
import time
from pathlib import Path

import pytest

from initlab.cli import main
from initlab.lesson import Limits, grade

RIGHT = """
import numpy as np

def filled(layers_dims, draw):
    parameters = {}
    for l in range(1, len(layers_dims)):
        shape = (layers_dims[l], layers_dims[l - 1])
        parameters["W" + str(l)] = draw(*shape)
        parameters["b" + str(l)] = np.zeros((shape[0], 1))
    return parameters

def initialize_parameters_zeros(layers_dims):
    return filled(layers_dims, lambda n, p: np.zeros((n, p)))

def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return filled(layers_dims, lambda n, p: np.random.randn(n, p) * 10)

def initialize_parameters_he(layers_dims):
    attempt()
    np.random.seed(3)
    return filled(layers_dims, lambda n, p: np.random.randn(n, p) * np.sqrt(2 / p))
"""

REFUSED = """
def attempt():
    try:
        {attempt}
    except {error}:
        return
    raise RuntimeError("that was possible")
"""

if not (sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")):
    pytest.skip("Landlock and seccomp are of Linux", allow_module_level=True)


def submission(folder, text):
    path = folder / "submission.py"
    path.write_text(RIGHT + text, encoding="utf-8")
    return path


def grade_of(path, **limits):
    return grade(path, limits=Limits(**({"seconds": 5} | limits)))


def findings_of(graded):
    return [each for function in graded.functions for each in function.findings]


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("import socket; socket.socket()", "OSError"),
        ("import os; os.fork()", "OSError"),
        ("import subprocess; subprocess.run(['true'])", "OSError"),
        ("import os; os.execv('/bin/true', ['true'])", "OSError"),
        ("import os; os.kill(os.getppid(), 0)", "OSError"),
        ("import os; os.listdir('/')", "OSError"),
        ("open('/etc/passwd').read()", "OSError"),
        ("open(SUBMISSION).read()", "OSError"),
        ("open(BESIDE, 'w')", "OSError"),
        ("import os; os.chmod('/', 0o777)", "OSError"),
        ("import os; open(f'/proc/{os.getppid()}/environ', 'rb').read()", "OSError"),
        ("import os; os.environ['A_SECRET']", "KeyError"),
        ("input()", "EOFError"),
    ],
)
def test_what_is_forbidden_fails(attempt, error, tmp_path, monkeypatch):
    monkeypatch.setenv("A_SECRET", "in this process")
    names = (
        f"SUBMISSION = {str(tmp_path / 'submission.py')!r}\n"
        f"BESIDE = {str(tmp_path / 'written')!r}\n"
    )
    path = submission(tmp_path, names + REFUSED.format(attempt=attempt, error=error))

    graded = grade_of(path)

    assert findings_of(graded) == []
    assert set(graded.isolation) == {"limits", "landlock", "seccomp"}
    assert os.listdir(tmp_path) == ["submission.py"]


@pytest.mark.parametrize(
    "attempt",
    [
        "open('scratch', 'w').write('here one may')",
        "import threading; t = threading.Thread(target=int); t.start(); t.join()",
        "import matplotlib.pyplot as plt; plt.plot([1]); plt.savefig('a.png')",
        "import sklearn.datasets; sklearn.datasets.make_circles(10)",
    ],
)
def test_what_honest_programs_do_works(attempt, tmp_path):
    path = submission(tmp_path, f"def attempt():\n    {attempt}\n")

    assert findings_of(grade_of(path)) == []


def test_a_module_beside_the_submission_can_be_imported(tmp_path):
    (tmp_path / "my_helpers.py").write_text("def nothing():\n    pass\n")
    path = submission(tmp_path, "from my_helpers import nothing as attempt\n")

    assert findings_of(grade_of(path)) == []


def test_an_endless_loop_is_ended_in_time(tmp_path):
    path = submission(tmp_path, "def attempt():\n    while True: pass\n")

    started = time.monotonic()
    graded = grade_of(path, seconds=1)

    assert time.monotonic() - started < 15
    assert "longer than 1 s" in findings_of(graded)[0].got


def test_a_memory_hog_is_refused_memory(tmp_path):
    path = submission(tmp_path, "def attempt():\n    np.ones(10**10)\n")

    graded = grade_of(path)

    assert "memory" in findings_of(graded)[0].got.lower()


def working_folders():
    """Return the folders that the machine's processes work in, deleted ones too."""
    folders = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            folders.append(os.readlink(link))
    return folders


def test_nothing_is_left_running_and_nothing_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    path = submission(tmp_path, "def attempt():\n    while True: pass\n")

    grade_of(path, seconds=1)

    assert list((tmp_path / "temporary").iterdir()) == []
    assert not any(str(tmp_path) in folder for folder in working_folders())


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("while True: pass\n", "nothing of the program ran"),
        ("import os\nattempt = os._exit(3)\n", "landlock, seccomp"),
    ],
)
def test_of_a_program_that_does_not_load_only_what_happened_is_said(
    tmp_path, capsys, ending, said
):
    path = submission(tmp_path, f"def attempt(): pass\n{ending}")

    with pytest.raises(SystemExit) as ended:
        main(["lesson", "grade", str(path)])

    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert "not isolated" not in out
    assert said in out


def test_without_the_kernels_help_the_output_says_so(tmp_path, monkeypatch, capsys):
    path = submission(tmp_path, "attempt = int\n")
    plain = Limits(isolate=False)
    monkeypatch.setattr("initlab.lesson.Limits", lambda **_: plain, raising=False)

    with pytest.raises(SystemExit) as ended:
        main(["lesson", "grade", str(path)])

    assert ended.value.code == 0
    assert "not isolated" in capsys.readouterr().out
