"""A pytest plugin: `init_check(model, batch)` fails a test where a start is unsound.

def test_my_models_start(init_check):
    init_check(MyModel(), torch.randn(8, 3, 32, 32))
"""

from collections.abc import Callable, Iterable
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
        ignore: str | Iterable[str] = (),
        **more: Any,
    ) -> Any:
        __tracebackhide__ = True
        from initlab.messages import SEVERITIES, as_checks, as_severity
        from initlab.pytorch import check

        least = SEVERITIES.index(as_severity(fail_on, "fail_on"))
        ignored = as_checks(ignore, "ignore")
        diagnosis = check(model, batch, **more)
        kept = diagnosis.without(ignored)
        if any(SEVERITIES.index(one.severity) >= least for one in kept):
            pytest.fail(str(kept), pytrace=False)
        return diagnosis

    return checked
