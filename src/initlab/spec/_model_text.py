"""Facts of models as JSON text, which a dataset keeps, and back."""

import json
from collections.abc import Sequence

from pydantic import TypeAdapter

from initlab.spec._model import ModelFacts

_ADAPTER = TypeAdapter(tuple[ModelFacts, ...])


def facts_to_json(facts: Sequence[ModelFacts]) -> str:
    """Return facts of several members as text; nan stays nan.

    Example:
        >>> from initlab.spec import OutputReading
        >>> facts = ModelFacts(
        ...     uses=(), norms=(), attentions=(), blocks=(), parameters=(),
        ...     output=OutputReading(),
        ... )
        >>> facts_from_json(facts_to_json([facts]))[0].optimizer
        ''
    """  # fmt: skip
    return json.dumps(_ADAPTER.dump_python(tuple(facts)))


def facts_from_json(text: str) -> tuple[ModelFacts, ...]:
    """Return the facts that `facts_to_json` wrote."""
    return _ADAPTER.validate_python(json.loads(text))
