"""`initlab list` and `initlab show`: the catalog for people.

Heavy imports are inside the functions: `initlab --help` must answer at once.
"""

import json
import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from initlab.errors import InvalidValueError

if TYPE_CHECKING:
    from rich.console import Console

_EXAMPLE_SHAPE = (64, 128)
_EXAMPLE_KERNEL = (128, 64, 3, 3)

_NEEDS = {
    "shape": "the weight's shape",
    "layer": "the layer (groups, stride, packing), or a shape taken for an ordinary "
    "one's",
    "conv": "a convolution",
    "position": "whether the layer is the first or the last, which a study fills in",
    "batch": "a batch of inputs",
    "forward": "a function that runs the network",
}

_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def list_inits(as_json: _Json = False) -> None:
    """List every initializer: its law, and when to use it."""
    from initlab.catalog import CATALOG, PROCEDURES
    from initlab.messages import print_whole
    from initlab.spec import INIT_ALIASES

    if as_json:
        inits = [_facts(name) for name in CATALOG]
        procedures = [_procedure_facts(name) for name in PROCEDURES]
        aliases = dict(INIT_ALIASES)
        _print_json({"inits": inits, "procedures": procedures, "aliases": aliases})
        return
    from rich.table import Table

    console = _console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    table.add_column("init", no_wrap=True, style="bold")
    table.add_column("law", ratio=4)
    table.add_column("use it when", ratio=5)
    for name, entry in CATALOG.items():
        table.add_row(name, entry.formula, entry.use_when)
    for name, procedure in PROCEDURES.items():
        table.add_row(name, procedure.formula, procedure.use_when)
    print_whole(console, table)
    console.print()

    short = Table(box=None, pad_edge=False)
    short.add_column("alias", no_wrap=True, style="bold")
    short.add_column("points to", no_wrap=True)
    for alias, target in INIT_ALIASES.items():
        short.add_row(alias, target)
    print_whole(console, short)
    console.print(
        f"\nOn data, no init of a study: {', '.join(PROCEDURES)}."
        "\nEvery init also takes scale= and bias=. More: initlab show NAME",
        soft_wrap=True,
    )


def show_init(
    name: Annotated[
        str,
        typer.Argument(help='As in `initlab list`, or typed out: "normal(std=10)".'),
    ],
    as_json: _Json = False,
) -> None:
    """Show one initializer: formula, law, parameters, citation, use."""
    from initlab.messages import print_whole
    from initlab.spec import PROCEDURE_NAMES

    procedure = name in PROCEDURE_NAMES
    facts = _procedure_facts(name) if procedure else _facts(name)
    if as_json:
        _print_json(facts)
        return
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    citation = facts["citation"]
    rows = {
        "formula": facts["formula"],
        **({} if procedure else _law_rows(facts)),
        "needs": "; ".join(_NEEDS[need] for need in facts["needs"]),
        "use it when": facts["use_when"],
        "not when": facts["not_when"],
        "citation": f"{citation['authors']} ({citation['year']}), "
        f"{citation['title']}, {citation['where']}",
        "link": citation["link"],
    }
    for label, text in rows.items():
        table.add_row(label, text)
    alias = f", alias of {facts['name']}" if facts["alias"] else ""
    console = _console()
    console.print(f"{name}{alias}: {facts['summary']}\n")
    print_whole(console, table)
    # Below the table, so that a line to copy stays one line.
    console.print(f"\n{facts['example']}", soft_wrap=True)


def _law_rows(facts: dict[str, Any]) -> dict[str, str]:
    law = facts["law"]
    defaults = ", ".join(f"{key}={_short(x)}" for key, x in facts["parameters"].items())
    return {
        "law": f"std {law['std']:.6g} of the entries, for shape {law['shape']}",
        "distribution": _distribution(facts),
        "units": _units(facts),
        "biases": _biases(facts),
        "parameters": f"{defaults or 'none'}; scale=1, bias=0 as everywhere",
    }


def _facts(text: str) -> dict[str, Any]:
    """Return what is known about an init as typed, ready for JSON."""
    from dataclasses import asdict

    from initlab import catalog
    from initlab.spec import INIT_ALIASES, Init

    init = Init.parse(text)
    entry = catalog.get(init.name)
    typed = text.split("(")[0].strip()
    shape = _EXAMPLE_KERNEL if "conv" in entry.needs else _EXAMPLE_SHAPE
    std = abs(init.scale) * entry.std(shape, **init.parameters)
    # With a std of 0 all entries are equal, whatever the init draws otherwise.
    differ = std > 0
    kurtosis = None
    if differ and entry.excess_kurtosis is not None:
        kurtosis = entry.excess_kurtosis(shape, **init.parameters)
    if not math.isfinite(std):
        raise InvalidValueError(f"init {init}: its standard deviation is not finite")
    return {
        "name": init.name,
        "alias": typed if typed in INIT_ALIASES else None,
        "summary": entry.summary,
        "formula": entry.formula,
        "distribution": _drawn_law(entry.distribution, kurtosis) if differ else "fixed",
        "parameters": entry.parameters,
        "law": {"shape": shape, "std": std, "excess_kurtosis": kurtosis},
        "needs": entry.needs,
        "full_rank": entry.full_rank and differ,
        "distinct_units": entry.distinct_units and (differ or entry.bias is not None),
        "bias": {"value": init.bias, "random": entry.bias is not None},
        "use_when": entry.use_when,
        "not_when": entry.not_when,
        "citation": asdict(entry.reference),
        "example": f"initlab.draw({text!r}, {shape}, rng=numpy.random.default_rng(0))",
    }


def _procedure_facts(name: str) -> dict[str, Any]:
    """Return what is known about a data-driven initialization, ready for JSON."""
    from dataclasses import asdict

    from initlab.catalog import PROCEDURES

    procedure = PROCEDURES[name]
    return {
        "name": name,
        "alias": None,
        "summary": procedure.summary,
        "formula": procedure.formula,
        "needs": procedure.needs,
        "use_when": procedure.use_when,
        "not_when": procedure.not_when,
        "citation": asdict(procedure.reference),
        "example": procedure.call,
    }


def _drawn_law(default: str, kurtosis: float | None) -> str:
    """Return the law with the parameters typed: a dialect may truncate normals."""
    if default != "normal" or kurtosis is None or kurtosis == 0:
        return default
    return "uniform" if kurtosis == -1.2 else "truncated_normal"


def _biases(facts: dict[str, Any]) -> str:
    value = f"{facts['bias']['value']:g}"
    if not facts["bias"]["random"]:
        return value
    return "drawn too" if value == "0" else f"drawn too, plus {value}"


def _distribution(facts: dict[str, Any]) -> str:
    kurtosis = facts["law"]["excess_kurtosis"]
    name = str(facts["distribution"]).replace("_", " ")
    if kurtosis is None:
        return f"{name}: nothing is random"
    return f"{name}, excess kurtosis {kurtosis:.3g}"


def _units(facts: dict[str, Any]) -> str:
    rank = "full rank" if facts["full_rank"] else "rank may be deficient"
    alike = "all distinct" if facts["distinct_units"] else "some may start alike"
    return f"{alike}; {rank}"


def _short(value: bool | float | str) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _console() -> "Console":
    from rich.console import Console

    # Cells are plain text: Rich would read brackets, colons and numbers as markup.
    return Console(markup=False, emoji=False, highlight=False)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))
