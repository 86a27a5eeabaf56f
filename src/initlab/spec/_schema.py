"""The JSON schema of study.toml, for editors: from the models, shipped as a file."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from initlab.spec._inits import Init
from initlab.spec._network import MLP
from initlab.spec._problem import Problem
from initlab.spec._study import Study

SCHEMA_FILE = Path(__file__).with_name("study.schema.json")
_ATTRIBUTE = re.compile(r"^    (\w[\w, ]*): (.+(?:\n     +.+)*)", re.MULTILINE)


def study_schema() -> dict[str, Any]:
    """Return the JSON schema that `study.schema.json` in this folder holds.

    Example:
        >>> study_schema()["properties"]["steps"]["description"]
        'Parameter updates.'
    """
    schema = Study.model_json_schema(mode="validation")
    models = {model.__name__: model for model in (Init, MLP, Problem)}
    for name, described in schema["$defs"].items():
        if name in models:
            _describe(described, models[name])
    _describe(schema, Study)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "study.toml of initlab",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Say of every key what the class says of its attribute."""
    text = inspect.getdoc(model) or ""
    schema["description"] = text.splitlines()[0]
    listed = text.partition("Attributes:\n")[2].partition("\n\n")[0]
    for names, about in _ATTRIBUTE.findall(listed):
        for name in names.split(", "):
            if name in schema["properties"]:
                schema["properties"][name]["description"] = " ".join(about.split())


def schema_text() -> str:
    """Return the schema as the file has it."""
    return json.dumps(study_schema(), indent=1) + "\n"


if __name__ == "__main__":  # make schema
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
