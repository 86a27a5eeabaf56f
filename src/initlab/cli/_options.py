"""Options that several commands have: reading, refusing, writing."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

Activation = Annotated[
    str,
    typer.Option(
        help="relu, leaky_relu, tanh, sigmoid, erf, gelu, silu, elu, selu, "
        "softplus, sin or identity."
    ),
]
Precision = Annotated[str, typer.Option(help="Of the arithmetic: float64 or float32.")]
Seed = Annotated[int, typer.Option(help="Root seed of the starting weights.")]
Members = Annotated[int, typer.Option(help="Networks per init.")]
Threads = Annotated[
    int | None, typer.Option(help="Networks at a time; default: one per core.")
]
Json = Annotated[
    str | None,
    typer.Option("--json", help="Also write JSON: to a file, or to stdout with -."),
]
Out = Annotated[Path, typer.Option(help="Folder for page, pictures and data.")]


def read_widths(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers of `--widths`."""
    from initlab.errors import InvalidValueError

    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
        if len(widths) < 2:
            raise ValueError
        return widths
    except ValueError:
        raise InvalidValueError(
            f"two or more whole numbers with commas, as in 2,10,5,1, got {text[:60]!r}",
            argument="widths",
        ) from None


def refuse_without_effect(
    context: typer.Context, names: Iterable[str], *, beside: str
) -> None:
    """Make sure that none of these parameters was given on the command line."""
    from initlab.errors import InvalidValueError

    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InvalidValueError(
                f"--{name.replace('_', '-')}: has no effect beside {beside}; leave "
                "one of them out"
            )


def refuse_json(path: Path, out: Path, *, inputs: Iterable[str] = ()) -> None:
    """Make sure that `--json` can be written, and is no input or inside `--out`."""
    from initlab.errors import OutputError
    from initlab.results import JSON, refuse_unwritable

    if out.resolve() in (path.resolve(), path.resolve().parent):
        raise OutputError(
            f"{path} is in the folder --out {out}, which gets a results.json "
            "of its own; name another place",
            argument="--json",
        )
    refuse_unwritable(path, "--json", ends=JSON, inputs=inputs)


def write_json(text: str, json_to: str) -> None:
    """Write to a file, moved into place when it is whole, or to stdout with `-`."""
    from initlab.results import moved_into_place

    if json_to == "-":
        sys.stdout.write(text)
        return
    with moved_into_place(Path(json_to)) as temporary:
        temporary.write_text(text, encoding="utf-8")
