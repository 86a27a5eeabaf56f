"""Write src/shared.json: what the page and Python must say alike, from Python.

Sentences and thresholds of the causes, facts of the activations, and what the page has.
"""

import json
from pathlib import Path
from typing import Any

from initlab.activations import ACTIVATIONS
from initlab.analysis import _cause, _course_rules, _start_rules
from initlab.browser._limits import INITS, LIMITS, OUTPUTS
from initlab.messages import _causes
from initlab.messages._statements import STATEMENTS

TARGET = Path(__file__).parent / "src" / "shared.json"


def shared() -> dict[str, Any]:
    """Return what the file holds."""
    thresholds = {
        name: value
        for module in (_cause, _start_rules, _course_rules)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int | float | tuple)
    }
    return {
        "causes": dict(_causes.CAUSES),
        "one_unit": dict(_causes.ONE_UNIT),
        "additions": dict(_causes._ADDITIONS),
        "statements": dict(STATEMENTS),
        "thresholds": thresholds,
        "inits": {name: list(parameters) for name, parameters in INITS.items()},
        "outputs": dict(OUTPUTS),
        "limits": {name: list(ends) for name, ends in LIMITS.items()},
        "steepest": {name: each.steepest for name, each in ACTIVATIONS.items()},
        "saturates": {name: each.saturates for name, each in ACTIVATIONS.items()},
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(shared(), indent=1) + "\n", encoding="utf-8")
