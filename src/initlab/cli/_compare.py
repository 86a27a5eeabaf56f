"""`initlab compare`: one network, several starting points, what happened."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from initlab.cli._options import (
    Activation,
    Json,
    Members,
    Out,
    Precision,
    Seed,
    Threads,
    read_widths,
    refuse_json,
    write_json,
)
from initlab.cli._progress import progress_bar
from initlab.cli._spelling import command_typed

if TYPE_CHECKING:
    import xarray as xr

    from initlab.spec import Study

_PROBLEM, _NETWORK, _TRAINING, _RUN = "Problem", "Network", "Training", "Run"


def compare(
    problem: Annotated[
        str,
        typer.Option(
            help="circles, moons, spirals, xor, blobs, digits, breast_cancer, wine, "
            "diabetes, or the path of a .npz, .csv or .h5 file."
        ),
    ] = "circles",
    noise: Annotated[
        float | None, typer.Option(help="Standard deviation added to the features.")
    ] = None,
    examples: Annotated[
        int | None, typer.Option(help="Training examples to make or to keep.")
    ] = None,
    test_fraction: Annotated[
        float, typer.Option(help="Share of all examples held out for testing.")
    ] = 0.25,
    standardize: Annotated[
        bool, typer.Option("--standardize", help="Features to mean 0, variance 1.")
    ] = False,
    target: Annotated[
        str | None, typer.Option(help="Column of a CSV to predict; default: the last.")
    ] = None,
    init: Annotated[
        list[str] | None,
        typer.Option(
            help="Where to start: name or name(parameter=value), each also with "
            "scale= and bias=; repeat for more. Names: initlab list. Default: zeros, "
            "normal(std=10), he_normal."
        ),
    ] = None,
    widths: Annotated[
        str | None,
        typer.Option(
            help="Units per layer, input first: 2,10,5,1. Default: hidden layers of "
            "10 and 5, input and output fitted to the data."
        ),
    ] = None,
    activation: Activation = "relu",
    batch_norm: Annotated[
        bool, typer.Option("--batch-norm", help="Normalize hidden pre-activations.")
    ] = False,
    loss: Annotated[
        str | None,
        typer.Option(
            help="binary_cross_entropy, softmax_cross_entropy or mean_squared_error; "
            "default: chosen from the targets."
        ),
    ] = None,
    optimizer: Annotated[
        str, typer.Option(help="gradient_descent, momentum or adam.")
    ] = "gradient_descent",
    batch_size: Annotated[
        int | None, typer.Option(help="Examples per step; default: all.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Step size.")] = 0.01,
    steps: Annotated[int, typer.Option(help="Parameter updates.")] = 15_000,
    record_every: Annotated[
        int | None,
        typer.Option(
            help="Steps between records; default: 100, listed every 1,000 in JSON."
        ),
    ] = None,
    stop_at_loss: Annotated[
        float | None,
        typer.Option(
            help="Networks end at the first record whose training loss is this or "
            "less; default: all take every step."
        ),
    ] = None,
    members: Members = 1,
    seed: Seed = 3,
    seeding: Annotated[
        str,
        typer.Option(
            help="legacy: member k draws from RandomState(seed + k), as the lesson "
            "does; stream: every weight tensor has a stream of its own."
        ),
    ] = "legacy",
    precision: Precision = "float64",
    engine: Annotated[
        str,
        typer.Option(
            help="lanes (many small networks at once), wide (large ones, by BLAS), "
            "reference (plain NumPy), or auto: whichever is quickest; see initlab info."
        ),
    ] = "auto",
    threads: Threads = None,
    out: Out = Path("initlab-compare"),
    json_to: Json = None,
    print_costs: Annotated[
        bool, typer.Option("--print-costs", help="Print costs as the lesson does.")
    ] = False,
) -> None:
    """Train one network from several starting points and say what happened.

    Without options: the classic lesson, 2-10-5-1 on circles from zeros,
    normal(std=10) and he_normal.
    """
    study = _study(
        problem={
            "name": problem,
            "noise": noise,
            "examples": examples,
            "test_fraction": test_fraction,
            "standardize": standardize,
            "target": target,
        },
        network={
            "widths": read_widths(widths),
            "activation": activation,
            "batch_norm": batch_norm,
        },
        inits=init,
        loss=loss,
        optimizer=optimizer,
        batch_size=batch_size,
        learning_rate=learning_rate,
        steps=steps,
        record_every=record_every,
        stop_at_loss=stop_at_loss,
        members=members,
        seed=seed,
        seeding=seeding,
        precision=precision,
    )
    _conduct(study, out, json_to, print_costs, engine=engine, threads=threads)


# The arguments that an error may name and that have an option.
OPTIONS = frozenset(compare.__annotations__) - {"return", "json_to"}


def _study(
    *, problem: dict[str, Any], network: dict[str, Any], **training: Any
) -> "Study":
    from initlab.spec import MLP, Problem, Study

    if not training["inits"]:
        del training["inits"]
    return Study(problem=Problem(**problem), network=MLP(**network), **training)


def _conduct(
    study: "Study",
    out: Path,
    json_to: str | None,
    print_costs: bool,
    **where: Any,
) -> None:
    """Run the study; results go to stdout, progress and remarks to stderr."""
    from rich.console import Console

    from initlab.reports import as_json, refuse_foreign, write_folder
    from initlab.reports import compare as compared
    from initlab.study import run

    refuse_foreign(out)
    if json_to not in (None, "-"):
        read = [study.problem.name] if study.problem.is_file else []
        refuse_json(Path(str(json_to)), out, inputs=read)
    with progress_bar("training", unit="steps/s") as progress:
        results = run(study, progress=progress, **where)
    command = command_typed()
    folder = write_folder(results, out, command=command)
    if json_to is not None:
        text = json.dumps(as_json(results), indent=1, allow_nan=False)
        write_json(text + "\n", json_to)
    console = Console(stderr=json_to == "-")

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    for line in _cost_lines(results) if print_costs else ():
        say(line)
    for note in json.loads(results.attrs["notes"]):
        say(f"note: {note}")
    compared(results).print_to(console)
    say(f"Page: {folder / 'report.html'}")


def _cost_lines(results: "xr.Dataset") -> Iterator[str]:
    """Yield the cost lines of the lesson, for member 0 of each init."""
    from initlab.reports import PRINTED_EVERY, printed_records
    from initlab.spec import from_toml

    study = from_toml(results.attrs["spec"])
    for i, label in enumerate(results["init"].values):
        yield f"{label}:"
        for record in printed_records(study)[:-1]:
            step = study.recorded_steps[record]
            if step % PRINTED_EVERY:
                continue
            cost = float(results["loss"].values[i, 0, record])
            yield f"Cost after iteration {step}: {cost!r}"
