"""What several rooms' tests share."""

import json
import signal
from pathlib import Path

import pytest

import initlab as il

pytest_plugins = ["pytester"]

GOLDEN = Path(__file__).parent / "golden"


def pytest_configure():
    """Hear Ctrl-C: what a shell starts in the background, and its children, do not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def lesson():
    """Every number that the lesson's documents print."""
    return json.loads((GOLDEN / "lesson.json").read_text())


@pytest.fixture(scope="session")
def short_results():
    """A run of three inits and two members, in a tenth of a second."""
    return il.run(il.Study(steps=150, members=2), threads=1)
