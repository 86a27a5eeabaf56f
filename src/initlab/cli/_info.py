"""`initlab info`: what this machine is to the engines."""

import json
from typing import Annotated, Any

import typer

_EXAMPLES = 300  # of the lesson's circles
_NETWORKS = (
    (2, 10, 5, 1),
    (16, 16, 16, 1),
    (64, 100, 100, 10),
    (64, 300, 100, 10),
    (1024, 1024, 1024, 1),
)
_MEMBERS = (1, 3, 64)


def info(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs.")
    ] = False,
) -> None:
    """Show versions, processor, vector width, threads, caches and engine choice."""
    from rich.console import Console
    from rich.table import Table

    from initlab import engine
    from initlab.messages import print_whole

    machine = engine.machine()
    costs = [_costs(engine, widths) for widths in _NETWORKS]
    if as_json:
        print(json.dumps({"machine": machine, "choices": costs}, indent=2))
        return
    console = Console(highlight=False)
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column()
    for name, value in machine.items():
        facts.add_row(name, str(value))
    print_whole(console, facts)
    console.print(
        f"\nA step of one network on {_EXAMPLES} examples, float64, in microseconds of "
        "one core, by the model behind --engine auto, and what it chooses for 1, 3 and "
        "64 networks:\n"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("network", style="bold", no_wrap=True)
    for engine_name in ("lanes, full", "wide"):
        table.add_column(engine_name, justify="right", no_wrap=True)
    for members in _MEMBERS:
        table.add_column(f"{members}:", no_wrap=True)
    for cost in costs:
        table.add_row(
            cost["network"],
            f"{cost['lanes']:,.1f}",
            f"{cost['wide']:,.1f}",
            *cost["chosen"].values(),
        )
    print_whole(console, table)


def _costs(engine: Any, widths: tuple[int, ...]) -> dict[str, Any]:
    from initlab.spec import MLP

    cost = engine.step_cost(MLP(widths=widths), _EXAMPLES, "float64")
    return {
        "network": "-".join(map(str, widths)),
        "lanes": cost.lanes / cost.group,
        "wide": cost.wide,
        "chosen": {
            str(members): cost.quickest(members, engine.cores()) for members in _MEMBERS
        },
    }
