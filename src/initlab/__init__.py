"""initlab: a laboratory for the starting weights of neural networks.

From which starting weights will this network train, how fast, and why? `run` trains a
`Study`; `compare` and `report` say what happened, with the evidence.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from initlab import inits as inits
    from initlab import theory as theory
    from initlab.browser import page as page
    from initlab.catalog import draw as draw
    from initlab.errors import InitlabError as InitlabError
    from initlab.reports import compare as compare
    from initlab.reports import report as report
    from initlab.results import export as export
    from initlab.results import merge as merge
    from initlab.rng import stream as stream
    from initlab.spec import MLP as MLP
    from initlab.spec import Init as Init
    from initlab.spec import Problem as Problem
    from initlab.spec import SignalStudy as SignalStudy
    from initlab.spec import Study as Study
    from initlab.spec import from_toml as from_toml
    from initlab.spec import to_toml as to_toml
    from initlab.study import open_store as open_store
    from initlab.study import run as run
    from initlab.study import signal as signal
    from initlab.study.estimators import InitMLPClassifier as InitMLPClassifier
    from initlab.study.estimators import InitMLPRegressor as InitMLPRegressor

__version__ = "0.1.0"

# Loaded on first use, so that `initlab --help` answers at once.
_HOMES = {
    "InitlabError": "initlab.errors",
    "Init": "initlab.spec",
    "InitMLPClassifier": "initlab.study.estimators",
    "InitMLPRegressor": "initlab.study.estimators",
    "MLP": "initlab.spec",
    "Problem": "initlab.spec",
    "SignalStudy": "initlab.spec",
    "Study": "initlab.spec",
    "compare": "initlab.reports",
    "draw": "initlab.catalog",
    "export": "initlab.results",
    "from_toml": "initlab.spec",
    "page": "initlab.browser",
    "merge": "initlab.results",
    "open_store": "initlab.study",
    "report": "initlab.reports",
    "run": "initlab.study",
    "signal": "initlab.study",
    "stream": "initlab.rng",
    "to_toml": "initlab.spec",
}

_MODULES = ("inits", "theory")

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"initlab.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'initlab' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
