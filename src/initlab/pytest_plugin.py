"""A pytest plugin: `init_check(model, batch)` fails a test where a start is unsound.

def test_my_models_start(init_check):
    init_check(MyModel(), torch.randn(8, 3, 32, 32))
"""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def init_check() -> Callable[..., Any]:
    """Return a function that checks a model, and fails the test with what it found.

    Its arguments are those of `initlab.pytorch.check`, and `fail_on`: the least
    severity that fails, "warning" if nothing else is said, and `ignore`: ids of checks.
    """

    def checked(
        model: Any,
        batch: Any,
        *,
        fail_on: str = "warning",
        ignore: tuple[str, ...] = (),
        **more: Any,
    ) -> Any:
        __tracebackhide__ = True
        from initlab.messages import SEVERITIES
        from initlab.pytorch import check

        diagnosis = check(model, batch, **more)
        least = SEVERITIES.index(fail_on)
        if any(
            SEVERITIES.index(one.severity) >= least and one.id not in ignore
            for one in diagnosis.findings
        ):
            pytest.fail(str(diagnosis), pytrace=False)
        return diagnosis

    return checked
