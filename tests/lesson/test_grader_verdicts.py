"""Programs of learners, right and wrong: none of the right ones is rejected, all wrong
ones are, with a hint that names the slip.

The programs were written from the lesson's description by somebody who had not seen the
grader.
"""

import re
from pathlib import Path

import pytest

from initlab.lesson import Limits, grade

PROGRAMS = Path(__file__).parent / "programs"
RIGHT = sorted((PROGRAMS / "right").glob("*.py"))
WRONG = sorted((PROGRAMS / "wrong").glob("*.py"))
# Endless programs are told from slow ones in less than the default.
LIMITS = Limits(seconds=3, load_seconds=20)


def named(path):
    return path.stem


def heading(path, key):
    found = re.search(rf"^# {key}: (.*)$", path.read_text("utf-8-sig"), re.MULTILINE)
    return found[1].strip() if found else ""


def test_there_are_enough_programs_to_say_so():
    assert len(RIGHT) >= 30
    assert len(WRONG) >= 60


@pytest.mark.parametrize("program", RIGHT, ids=named)
def test_a_right_program_in_any_style_passes(program):
    graded = grade(program, limits=LIMITS)

    findings = [each for function in graded.functions for each in function.findings]
    assert findings == []


@pytest.mark.parametrize("program", WRONG, ids=named)
def test_a_wrong_program_is_rejected_with_the_slip_named(program):
    graded = grade(program, limits=LIMITS)

    findings = [each for function in graded.functions for each in function.findings]
    assert findings, heading(program, "slip")
    said = "\n".join(f"{each.expected}\n{each.got}\n{each.likely}" for each in findings)
    words = [word.strip() for word in heading(program, "hint").split(" | ")]
    assert any(re.search(word, said, re.IGNORECASE) for word in words), said
