"""The grader: a learner's initializers and network, judged in a process of their own.

Nothing that the program does can tell it the answers or change the verdict: its process
holds no answers and only returns arrays, which are judged here.
"""

from initlab.lesson.grader._findings import Finding, FunctionGrade
from initlab.lesson.grader._grade import FUNCTIONS, INITIALIZERS, Grade, grade
from initlab.lesson.grader._session import Limits

__all__ = [
    "FUNCTIONS",
    "INITIALIZERS",
    "Finding",
    "FunctionGrade",
    "Grade",
    "Limits",
    "grade",
]
