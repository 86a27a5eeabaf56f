"""What a program of the lesson finds around it that its author's machine had.

Loaded in the process that runs somebody's notebook or program, and nowhere else:
modules that are missing, NumPy's removed aliases, and names of Python 2. Whatever the
program has itself comes first.
"""

import builtins
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

_HOME = Path(__file__).parent / "modules"
_TEST_CASES = ("testCase", "testCases", "test_cases", "testcases")

# By the names under which public notebooks import them.
DROP_INS: Mapping[str, str] = MappingProxyType(
    {
        "init_utils": "init_utils",
        "lib_init_utils": "init_utils",
        "public_tests": "public_tests",
        "test_utils": "test_utils",
        "dlai_tools": "__init__",
        "dlai_tools.testing_utils": "test_utils",
        "reg_utils": "reg_utils",
        "gc_utils": "gc_utils",
        "termcolor": "termcolor",
    }
    | dict.fromkeys(_TEST_CASES, "test_cases")
)
_NUMBERED = re.compile(r"(lib_|Lib_)?(?P<module>\w+?)_?(v\d\w*|\d+)$")

# Imported by copies of the modules above without being needed.
_NOT_NEEDED = ("tensorflow", "keras", "h5py")

ALIASES: Mapping[str, object] = MappingProxyType(
    {
        "int": int,
        "float": float,
        "bool": bool,
        "object": object,
        "str": str,
        "complex": complex,
        "long": int,
        "unicode": str,
        "float_": np.float64,
        "int0": np.intp,
        "Inf": np.inf,
        "infty": np.inf,
        "NaN": np.nan,
        "product": np.prod,
        "alltrue": np.all,
        "sometrue": np.any,
    }
)

# Set by whoever starts the process; each name provided becomes one line of the file.
PROVIDED_LOG = "INITLAB_LESSON_PROVIDED"


def install() -> None:
    """Provide what is missing to this process, until it ends."""
    sys.meta_path.append(_Missing())
    np.__getattr__ = _lent(np.__getattr__)  # type: ignore[method-assign]
    for name, value in {
        "reload": importlib.reload,
        "xrange": range,
        "raw_input": input,
        "unicode": str,
        "unichr": chr,
    }.items():
        if not hasattr(builtins, name):
            setattr(builtins, name, value)


def drop_in(name: str) -> str | None:
    """Return which of our modules serves under that name, if any.

    Example:
        >>> drop_in("lib_init_utils"), drop_in("testCases_v2"), drop_in("numpy")
        ('init_utils', 'test_cases', None)
    """
    if name in DROP_INS:
        return DROP_INS[name]
    versioned = _NUMBERED.match(name)
    return DROP_INS.get(versioned["module"]) if versioned else None


class _Missing(importlib.abc.MetaPathFinder):
    """The last finder asked: what no other one found."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        module = drop_in(fullname)
        if module is not None:
            _note(fullname)
            return importlib.util.spec_from_file_location(
                fullname,
                _HOME / f"{module}.py",
                submodule_search_locations=[] if module == "__init__" else None,
            )
        if fullname.split(".")[0] in _NOT_NEEDED and not _asked_by_a_library():
            _note(f"{fullname} (a placeholder)")
            return importlib.machinery.ModuleSpec(
                fullname, _Placeholders(), is_package=True
            )
        return None


def _note(name: str) -> None:
    log = os.environ.get(PROVIDED_LOG)
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps(name) + "\n")


_LIBRARIES = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep
    for name in ("stdlib", "purelib", "platlib")
)


def _is_library(frame: Any) -> bool:
    if frame.f_globals.get("__name__") == "__main__":
        return False
    file = os.path.realpath(frame.f_code.co_filename)
    # The course's own package is installed like a library, and is none.
    return file.startswith(_LIBRARIES) and "dlai_tools" not in file


def _asked_by_a_library() -> bool:
    frame = sys._getframe(1)
    while frame.f_back is not None and (
        frame.f_code.co_filename == __file__
        or frame.f_code.co_filename.startswith("<frozen importlib")
    ):
        frame = frame.f_back
    return _is_library(frame)


def _lent(original: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a module `__getattr__` that lends the aliases to the program alone."""

    def lent(name: str) -> Any:
        # A library that asks whether NumPy still has `np.int` gets NumPy's answer.
        if name in ALIASES and not _is_library(sys._getframe(1)):
            return ALIASES[name]
        return original(name)

    return lent


class _Placeholders(importlib.abc.Loader):
    """Modules that can be imported, named and asked for, and do nothing."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _PlaceholderModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _PlaceholderModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Placeholder(f"{self.__name__}.{name}", (), {})


class _Placeholder(type):
    """A class of a package that is not here: `isinstance` is false, a call fails."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Placeholder(f"{cls.__name__}.{name}", (), {})

    def __call__(cls, *_: Any, **__: Any) -> Any:
        package = cls.__name__.split(".")[0]
        raise ImportError(
            f"{cls.__name__} is used, but {package} is not installed: "
            f"pip install {package}"
        )
