"""What the catalog's tests share."""

import jaxtyping
import pytest


@pytest.fixture
def as_users_run(monkeypatch):
    """Without the shape checks of tests, which would refuse wrong types first."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
