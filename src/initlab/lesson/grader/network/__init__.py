"""The learner's network functions, judged where they are present, one file each."""

from initlab.lesson.grader.network._backward import grade_backward
from initlab.lesson.grader.network._forward import grade_forward
from initlab.lesson.grader.network._loss import grade_loss
from initlab.lesson.grader.network._model import grade_model
from initlab.lesson.grader.network._update import grade_update

__all__ = [
    "grade_backward",
    "grade_forward",
    "grade_loss",
    "grade_model",
    "grade_update",
]
