"""`initlab list` and `initlab show` as people and programs meet them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from initlab import catalog
from initlab.cli._catalog import list_inits, show_init
from initlab.errors import InvalidValueError, UnknownNameError
from initlab.spec import INIT_ALIASES

every_initializer = pytest.mark.parametrize("name", catalog.names())


@pytest.fixture
def invoke(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    app = typer.Typer(rich_markup_mode=None)
    app.command("list")(list_inits)
    app.command("show")(show_init)
    return lambda *words: CliRunner().invoke(app, words)


def test_list_names_every_init_and_alias_within_eighty_columns(invoke):
    result = invoke("list")

    assert result.exit_code == 0
    first_words = [
        line.split()[0] for line in result.output.splitlines() if line.split()
    ]
    assert set(catalog.names()) | set(INIT_ALIASES) <= set(first_words)
    assert max(map(len, result.output.splitlines())) <= 80


def test_list_as_json_holds_every_init(invoke):
    listed = json.loads(invoke("list", "--json").output)

    assert [init["name"] for init in listed["inits"]] == list(catalog.names())
    assert listed["aliases"] == dict(INIT_ALIASES)


@every_initializer
def test_show_says_law_use_and_source(invoke, name):
    result = invoke("show", name)

    entry = catalog.get(name)
    flat = " ".join(result.output.split())
    assert result.exit_code == 0
    for fact in (entry.formula, entry.use_when, entry.not_when, entry.summary):
        assert fact in flat
    assert f"{entry.reference.authors} ({entry.reference.year})" in flat
    assert all(parameter in flat for parameter in entry.parameters)


@every_initializer
def test_the_example_that_show_prints_runs(invoke, name):
    example = invoke("show", name).output.splitlines()[-1]

    class initlab:  # noqa: N801 -- the name that the example uses
        draw = staticmethod(catalog.draw)

    weight = eval(example, {"initlab": initlab, "numpy": np})
    conv = "conv" in catalog.get(name).needs
    assert weight.shape == ((128, 64, 3, 3) if conv else (64, 128))


@every_initializer
def test_show_as_json_evaluates_the_law(invoke, name):
    shown = json.loads(invoke("show", name, "--json").output)

    entry = catalog.get(name)
    shape = tuple(shown["law"]["shape"])
    assert shown["law"]["std"] == entry.std(shape)
    if entry.excess_kurtosis is not None:
        assert shown["law"]["excess_kurtosis"] == entry.excess_kurtosis(shape)
    assert shown["parameters"] == entry.parameters
    assert tuple(shown["needs"]) == entry.needs
    assert shown["full_rank"] == entry.full_rank
    assert shown["distinct_units"] == entry.distinct_units


@pytest.mark.parametrize("name", catalog.PROCEDURES)
def test_show_and_list_know_procedures_too(invoke, name):
    procedure = catalog.PROCEDURES[name]

    shown = " ".join(invoke("show", name).output.split())

    for fact in (procedure.formula, procedure.use_when, procedure.call):
        assert fact in shown
    assert name in invoke("list").output
    listed = json.loads(invoke("list", "--json").output)["procedures"]
    assert listed == [json.loads(invoke("show", name, "--json").output)]


def test_show_takes_parameters_and_scale_as_typed(invoke):
    shown = json.loads(invoke("show", "normal(std=10, scale=-2)", "--json").output)

    assert shown["law"]["std"] == 20


@pytest.mark.parametrize(
    ("typed", "facts"),
    [
        ("he_normal", ["normal, excess kurtosis 0", "biases 0"]),
        ("he_normal(dialect=keras)", ["truncated normal, excess kurtosis -0.634"]),
        ("variance_scaling(distribution=uniform)", ["uniform, excess kurtosis -1.2"]),
        ("torch_default(bias=2)", ["drawn too, plus 2"]),
        ("torch_default", ["biases drawn too", "groups, stride, packing"]),
        ("zeros(bias=0.5)", ["biases 0.5", "some may start alike; rank may be"]),
        ("sinusoidal", ["fixed: nothing is random", "rank may be deficient"]),
        ("siren", ["whether the layer is the first", "first=False"]),
        ("dirac", ["a convolution"]),
    ],
)
def test_show_says_what_is_drawn_and_what_it_needs(invoke, typed, facts):
    flat = " ".join(invoke("show", typed).output.split())

    for fact in facts:
        assert fact in flat


def test_show_says_what_an_alias_points_to(invoke):
    result = invoke("show", "kaiming_normal")

    assert result.output.startswith("kaiming_normal, alias of he_normal: ")


def test_brackets_that_were_typed_are_printed(invoke):
    result = invoke("show", "normal(std=1, label='[red]mine[/red]')")

    assert "label='[red]mine[/red]'" in result.output


@pytest.mark.parametrize(
    ("typed", "error", "message"),
    [
        ("he_norml", UnknownNameError, "Did you mean 'he_normal'?"),
        ("callable", UnknownNameError, "unknown init 'callable'"),
        ("normal(std=", InvalidValueError, "write name or name(parameter=value)"),
        ("uniform(low=1, high=0)", InvalidValueError, "low must not be above high"),
        ("normal(std=1e308, scale=10)", InvalidValueError, "is not finite"),
    ],
)
def test_show_refuses_with_an_error_for_the_app_to_print(invoke, typed, error, message):
    result = invoke("show", typed)

    assert isinstance(result.exception, error)
    assert message in str(result.exception)


def test_importing_the_commands_imports_nothing_heavy():
    code = (
        "import sys, initlab.cli._catalog; "
        "print([m for m in ('numpy', 'scipy', 'pydantic', 'rich.table', 'xarray')"
        " if m in sys.modules])"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("typed", "units"),
    [
        ("he_normal(gain=0)", "some may start alike; rank may be deficient"),
        ("uniform(low=1, high=1)", "some may start alike; rank may be deficient"),
        ("orthogonal(scale=0)", "some may start alike; rank may be deficient"),
        ("torch_default(scale=0)", "all distinct; rank may be deficient"),
        ("he_normal(gain=2)", "all distinct; full rank"),
    ],
)
def test_units_are_spoken_of_with_the_parameters_typed(invoke, typed, units):
    shown = invoke("show", typed).output

    assert units in " ".join(shown.split())
    assert ("nothing is random" in shown) == ("deficient" in units)
