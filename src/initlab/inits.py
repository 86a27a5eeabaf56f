"""Every entry of the catalog as a function of its parameters: `inits.he_normal()`.

Each takes the entry's parameters, `scale=`, `bias=` and `label=`, and returns an
`initlab.Init` for a study.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from initlab.spec import INIT_ALIASES, INIT_NAMES, INIT_SHARED, Init


def __getattr__(name: str) -> Callable[..., Init]:
    if name not in INIT_NAMES and name not in INIT_ALIASES:
        raise AttributeError(f"initlab.inits has no {name!r}: {', '.join(INIT_NAMES)}")
    return partial(_init, name)


def __dir__() -> list[str]:
    return [*INIT_NAMES, *INIT_ALIASES]


def _init(name: str, **arguments: Any) -> Init:
    shared = {key: arguments.pop(key) for key in INIT_SHARED if key in arguments}
    return Init(name=name, parameters=arguments, **shared)
