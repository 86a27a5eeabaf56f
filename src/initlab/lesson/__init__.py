"""The classic lesson: its notebooks run, their numbers judged, its learners graded.

`initlab lesson run`, `here`, `grade` and `claims` are this room's commands. The modules
that the notebooks import are in `initlab.lesson.modules`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from initlab.lesson._answers import write_answer as write_answer
    from initlab.lesson._examine import Examined as Examined
    from initlab.lesson._examine import examine as examine
    from initlab.lesson._examine import write_pictures as write_pictures
    from initlab.lesson._here import here as here
    from initlab.lesson._judgement import Judgement as Judgement
    from initlab.lesson._kernel import lend as load_ipython_extension  # noqa: F401
    from initlab.lesson._run import RunReport as RunReport
    from initlab.lesson._run import run as run
    from initlab.lesson.grader import Finding as Finding
    from initlab.lesson.grader import FunctionGrade as FunctionGrade
    from initlab.lesson.grader import Grade as Grade
    from initlab.lesson.grader import Limits as Limits
    from initlab.lesson.grader import grade as grade

# Loaded on first use: a notebook that imports a drop-in module needs none of it.
_HOMES = {
    "Examined": "_examine",
    "Finding": "grader",
    "FunctionGrade": "grader",
    "Grade": "grader",
    "Judgement": "_judgement",
    "Limits": "grader",
    "RunReport": "_run",
    "examine": "_examine",
    "grade": "grader",
    "here": "_here",
    "run": "_run",
    "write_pictures": "_examine",
    "write_answer": "_answers",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    if name == "load_ipython_extension":  # what `%load_ext initlab.lesson` calls
        return importlib.import_module("initlab.lesson._kernel").lend
    if name not in _HOMES:
        raise AttributeError(f"module 'initlab.lesson' has no attribute {name!r}")
    home = importlib.import_module(f"initlab.lesson.{_HOMES[name]}")
    return getattr(home, name)
