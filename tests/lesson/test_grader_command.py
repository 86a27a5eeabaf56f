"""`initlab lesson grade`: exit status, JSON, and what cannot be graded."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from initlab.cli import main

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def right(tmp_path):
    source = sorted((PROGRAMS / "right").glob("*.py"))[0]
    return Path(shutil.copy(source, tmp_path / "right.py"))


@pytest.fixture
def wrong(tmp_path, right):
    path = tmp_path / "wrong.py"
    text = right.read_text("utf-8-sig").replace("seed(3)", "seed(4)")
    path.write_text(text.replace("randn", "rand"), encoding="utf-8")
    return path


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["lesson", "grade", *map(str, arguments)])
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


def test_a_right_program_exits_0(right, capsys):
    status, out, _ = command(capsys, right)

    assert status == 0
    assert "right.py: passed" in out


def test_a_wrong_program_exits_1_with_expected_came_and_likely(wrong, capsys):
    status, out, _ = command(capsys, wrong)

    assert status == 1
    for word in ("expected", "came", "likely"):
        assert word in out


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("empty.py", "", "is empty"),
        ("other.py", "print('hello')\n", "defines none of"),
        ("broken.ipynb", "{not json", "no notebook"),
        ("essay.txt", "words", "must end in .ipynb or .py"),
    ],
)
def test_what_cannot_be_graded_exits_2(name, text, says, tmp_path, capsys):
    path = tmp_path / name
    path.write_text(text)

    status, out, _ = command(capsys, path)

    assert status == 2
    assert says in out
    assert "Traceback" not in out


def test_a_missing_file_exits_2(tmp_path, capsys):
    status, out, _ = command(capsys, tmp_path / "nobody.py")

    assert status == 2
    assert "No such file" in out


def test_a_class_in_one_call_has_one_entry_each(right, wrong, tmp_path, capsys):
    status, out, _ = command(capsys, right, wrong, tmp_path / "nobody.py", "--json")

    files = json.loads(out)["files"]
    assert status == 2
    assert [each["status"] for each in files] == [
        "passed",
        "not passed",
        "could not grade",
    ]
    he = files[1]["functions"]["initialize_parameters_he"]
    assert he["passed"] is False
    assert set(he["findings"][0]) == {"check", "expected", "got", "likely"}


def test_single_functions_can_be_asked_for(tmp_path, capsys):
    path = tmp_path / "part.py"
    path.write_text(
        "import numpy as np\n"
        "def initialize_parameters_zeros(d):\n"
        "    p = {}\n"
        "    for l in range(1, len(d)):\n"
        "        p[f'W{l}'] = np.zeros((d[l], d[l-1]))\n"
        "        p[f'b{l}'] = np.zeros((d[l], 1))\n"
        "    return p\n"
    )

    whole, _, _ = command(capsys, path)
    part, _, _ = command(capsys, path, "--only", "initialize_parameters_zeros")

    assert (whole, part) == (1, 0)


def test_an_unknown_function_is_refused_with_the_nearest(right, capsys):
    status, _, err = command(capsys, right, "--only", "initialize_parameters_hee")

    assert status == 2
    assert "initialize_parameters_he" in err


def test_a_notebook_of_nbgrader_and_otter_stays_byte_for_byte(right, tmp_path, capsys):
    cell = nbformat.v4.new_code_cell(
        "%matplotlib inline\n!ls\n" + right.read_text("utf-8-sig"),
        metadata={"nbgrader": {"grade": True, "points": 3, "grade_id": "a"}},
    )
    magic = nbformat.v4.new_code_cell("%%time\nx = 1", metadata={"otter": {"tests": 1}})
    path = tmp_path / "graded.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell, magic]), path)
    before = path.read_bytes()

    status, _, _ = command(capsys, path)

    assert status == 0
    assert path.read_bytes() == before


def test_functions_whose_names_are_put_together_are_found(tmp_path, capsys):
    path = tmp_path / "made.py"
    path.write_text(
        "import numpy as np\n"
        "SCALES = {'zeros': lambda n: 0., 'random': lambda n: 10., "
        "'he': lambda n: np.sqrt(2 / n)}\n"
        "for kind in SCALES:\n"
        "    def filled(d, kind=kind):\n"
        "        np.random.seed(3)\n"
        "        p = {}\n"
        "        for l in range(1, len(d)):\n"
        "            w = np.random.randn(d[l], d[l-1])\n"
        "            p[f'W{l}'] = w * SCALES[kind](d[l-1])\n"
        "            p[f'b{l}'] = np.zeros((d[l], 1))\n"
        "        return p\n"
        "    globals()['initialize_parameters_' + kind] = filled\n"
    )

    status, _, _ = command(capsys, path)

    assert status == 0


def test_a_module_that_is_not_here_is_a_note_and_no_failure(right, capsys):
    right.write_text("import surely_not_installed\n" + right.read_text("utf-8-sig"))

    status, out, _ = command(capsys, right)

    assert status == 0
    assert "note: its top level raised ModuleNotFoundError" in out
