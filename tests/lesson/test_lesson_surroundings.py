"""What a notebook's process is lent, and what libraries and own modules still see."""

import json
import os
import subprocess
import sys

import pytest

from initlab.lesson._python2 import with_print_calls
from initlab.lesson._surroundings import ALIASES, PROVIDED_LOG, drop_in

PREAMBLE = "from initlab.lesson._surroundings import install; install()\n"


def in_a_process(code, folder, **environment):
    """Run code as a program's own, with what it prints as the result."""
    script = folder / "program.py"
    script.write_text(PREAMBLE + code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_missing_modules_are_provided_and_noted(tmp_path):
    log = tmp_path / "log"

    in_a_process("import termcolor, testCases_v9", tmp_path, **{PROVIDED_LOG: str(log)})

    noted = [json.loads(line) for line in log.read_text().splitlines()]
    assert "testCases_v9" in noted


def test_a_programs_own_module_comes_first(tmp_path):
    (tmp_path / "init_utils.py").write_text("whose = 'mine'\n")

    assert in_a_process("import init_utils; print(init_utils.whose)", tmp_path) == (
        "mine"
    )


def test_part_of_an_own_package_is_completed(tmp_path):
    (tmp_path / "dlai_tools").mkdir()
    (tmp_path / "dlai_tools" / "other.py").write_text("here = True\n")

    out = in_a_process(
        "import dlai_tools.other\n"
        "from dlai_tools.testing_utils import multiple_test\n"
        "print(dlai_tools.other.here)",
        tmp_path,
    )

    assert out == "True"


def test_removed_aliases_are_the_programs_and_its_modules_alone(tmp_path):
    (tmp_path / "own.py").write_text("import numpy as np\nkind = np.float\n")

    out = in_a_process(
        "import sys, types\n"
        "import numpy as np, own\n"
        "print(np.int, own.kind, np.zeros(1, np.int).dtype.kind)\n"
        "library = types.FunctionType(\n"
        "    compile('hasattr(np, \"int\")', sys.prefix + '/lib/x.py', 'eval'),\n"
        "    {'np': np, '__name__': 'library'})\n"
        "import sysconfig\n"
        "code = compile('hasattr(np, \"int\")',\n"
        "               sysconfig.get_path('purelib') + '/x.py', 'eval')\n"
        "print(eval(code, {'np': np, '__name__': 'library'}))",
        tmp_path,
    )

    assert out.splitlines() == ["<class 'int'> <class 'float'> i", "False"]


@pytest.mark.parametrize("name", ALIASES)
def test_every_alias_is_lent(name, tmp_path):
    assert in_a_process(f"import numpy as np; np.{name}; print(1)", tmp_path) == "1"


def test_a_name_that_numpy_never_had_is_still_an_error(tmp_path):
    out = in_a_process("import numpy as np; print(hasattr(np, 'integr'))", tmp_path)

    assert out == "False"


def test_tensorflow_that_is_not_used_need_not_be_there(tmp_path):
    out = in_a_process(
        "import tensorflow as tf\n"
        "from tensorflow.keras.layers import Dense\n"
        "print(isinstance(1, tf.Tensor))\n"
        "try:\n"
        "    Dense(3)\n"
        "except ImportError as error:\n"
        "    print(error)",
        tmp_path,
    ).splitlines()

    assert out[0] == "False"
    assert "pip install tensorflow" in out[1]


def test_names_of_python_2_are_there(tmp_path):
    out = in_a_process("import json; reload(json); print(list(xrange(2)))", tmp_path)

    assert out == "[0, 1]"


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("init_utils", "init_utils"),
        ("lib_init_utils", "init_utils"),
        ("testCases_v2", "test_cases"),
        ("reg_utils", "reg_utils"),
        ("dlai_tools.testing_utils", "test_utils"),
        ("utils", None),
        ("numpy", None),
    ],
)
def test_modules_serve_under_the_names_of_public_copies(name, module):
    assert drop_in(name) == module


@pytest.mark.parametrize(
    ("cell", "modern"),
    [
        ('print "a", 3', 'print("a", 3)'),
        ('if x:\n    print "a %d" % 3', 'if x:\n    print("a %d" % 3)'),
        ('print ("a")', 'print ("a")'),
        ("print x,", 'print(x, end=" ")'),
        ("this is no Python", "this is no Python"),
    ],
)
def test_print_statements_become_calls_where_that_helps(cell, modern):
    lines = cell.splitlines(keepends=True)

    assert "".join(with_print_calls(lines)) == modern
