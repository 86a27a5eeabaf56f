"""The JSON schema that ships is the models', and judges studies as they do."""

import json
import tomllib

import jsonschema
import pytest

import initlab as il
from initlab.spec._schema import SCHEMA_FILE, schema_text

GOOD = """
members = 4
inits = ["he_normal", {name = "normal", parameters = {std = 10.0}}]
problem = "moons"
[network]
width = 10
[grid]
network.depth = [1, 2]
learning_rate = [0.01, 0.1]
problem = ["circles", {name = "moons", noise = 0.2}]
"""


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def test_the_file_is_what_the_models_say():
    text = SCHEMA_FILE.read_text(encoding="utf-8")

    assert text == schema_text(), "stale: run make schema"


def test_what_the_models_read_the_schema_accepts(schema):
    assert il.from_toml(GOOD).dimensions == ("depth", "learning_rate", "problem")

    for text in (GOOD, il.to_toml(il.from_toml(GOOD)), il.to_toml(il.Study())):
        jsonschema.validate(tomllib.loads(text), schema)


@pytest.mark.parametrize(
    "text",
    ["steps = 0", "step = 1", "optimizer = 'sgd'", "[network]\nactivation = 'rellu'"],
)
def test_what_the_models_refuse_the_schema_does_too(schema, text):
    with pytest.raises(il.InitlabError):
        il.from_toml(text)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), schema)


def test_every_key_is_described(schema):
    assert all("description" in each for each in schema["properties"].values())
