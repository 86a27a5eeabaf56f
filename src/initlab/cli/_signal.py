"""`initlab signal`: what starting weights do to a signal, before any training."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

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
    refuse_without_effect,
    write_json,
)
from initlab.cli._progress import progress_bar
from initlab.cli._spelling import command_typed

_DEFAULT_INITS = ("lecun_normal", "he_normal")
_OF_PRESETS = frozenset({"preset", "seed", "out", "json_to"})


def signal(
    context: typer.Context,
    init: Annotated[
        list[str] | None,
        typer.Option(
            help="Where to start: name or name(parameter=value), each also with "
            "scale= and bias=; repeat for more. Names: initlab list. Default: "
            "lecun_normal, he_normal."
        ),
    ] = None,
    activation: Activation = "relu",
    depth: Annotated[
        int, typer.Option(min=1, help="Layers with weights, of equal width.")
    ] = 20,
    width: Annotated[
        int,
        typer.Option(min=1, help="Units per layer; without --problem, inputs as well."),
    ] = 100,
    widths: Annotated[
        str | None,
        typer.Option(help="Units per layer instead, input first: 64,300,100,10."),
    ] = None,
    problem: Annotated[
        str | None,
        typer.Option(
            help="Send these inputs through: circles, digits, ..., or a file, as in "
            "compare. Default: standard normal inputs."
        ),
    ] = None,
    standardize: Annotated[
        bool, typer.Option("--standardize", help="Features to mean 0, variance 1.")
    ] = False,
    examples: Annotated[
        int | None, typer.Option(help="Inputs; default: 200 random ones.")
    ] = None,
    members: Members = 10,
    precision: Precision = "float64",
    seed: Seed = 3,
    seeding: Annotated[
        str, typer.Option(help="stream or legacy, as in compare.")
    ] = "stream",
    threads: Threads = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A classic experiment instead: histograms, product, simulation, "
            "scale_sweep, symmetry, defaults or initial_loss."
        ),
    ] = None,
    out: Out = Path("initlab-signal"),
    json_to: Json = None,
) -> None:
    """Measure signal and gradient in every layer before training, beside theory.

    Without options: 20 layers of 100 ReLU units, from LeCun's and He's weights.
    """
    from initlab.reports import refuse_foreign

    if json_to not in (None, "-"):
        refuse_json(Path(str(json_to)), out, inputs=[problem] if problem else [])
    if preset is not None:
        others = context.params.keys() - _OF_PRESETS
        refuse_without_effect(context, sorted(others), beside="--preset")
        _run_preset(preset, seed, out, json_to)
        return
    if widths is not None:
        refuse_without_effect(context, ("depth", "width"), beside="--widths")
    refuse_foreign(out)
    study = _study(
        {
            "inits": init or _DEFAULT_INITS,
            "network": {
                "widths": read_widths(widths),
                "activation": activation,
            },
            "problem": problem and {
                "name": problem, "standardize": standardize, "examples": examples,
            },
            "examples": examples,
            "members": members,
            "precision": precision,
            "seed": seed,
            "seeding": seeding,
        },
        equal=(width,) * depth,
    )  # fmt: skip
    _measure(study, threads, out, json_to)


def _study(values: Mapping[str, Any], *, equal: tuple[int, ...]) -> Any:
    """Return the study; without widths, the problem's inputs and equal layers."""
    from initlab.spec import MLP, Problem, SignalStudy

    given = {name: value for name, value in values.items() if value is not None}
    if given.get("problem"):
        given["problem"] = Problem(**given["problem"])
    network = given["network"]
    if network["widths"] is None:
        network |= {"widths": (_inputs(given.get("problem")) or equal[0], *equal)}
    return SignalStudy(**{**given, "network": MLP(**network)})


def _inputs(problem: Any) -> int | None:
    """Return how many features a problem has; None: there is no problem."""
    if problem is None:
        return None
    from initlab.problems import load

    return load(problem).features


def _measure(study: Any, threads: int | None, out: Path, json_to: str | None) -> None:
    """Measure; results go to stdout, progress and remarks to stderr."""
    from rich.console import Console

    from initlab.reports import signal_table, signals_as_json, write_folder
    from initlab.study import signal as measured

    with progress_bar("measuring", unit="layers/s") as progress:
        signals = measured(study, threads=threads, progress=progress)
    folder = write_folder(signals, out, command=command_typed())
    if json_to is not None:
        text = json.dumps(signals_as_json(signals), indent=1, allow_nan=False)
        write_json(text + "\n", json_to)
    console = Console(stderr=json_to == "-")
    for note in json.loads(signals.attrs["notes"]):
        console.print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    signal_table(signals).print_to(console)
    page = folder / "report.html"
    console.print(f"Page: {page}", markup=False, highlight=False, soft_wrap=True)


def _run_preset(name: str, seed: int, out: Path, json_to: str | None) -> None:
    """Run a classic experiment: its sentence to stdout, its files into a folder."""
    from dataclasses import asdict

    from initlab.errors import UnknownNameError
    from initlab.lesson import write_answer
    from initlab.lesson.experiments import EXPERIMENTS
    from initlab.results import write_netcdf

    if name not in EXPERIMENTS:
        raise UnknownNameError("preset", name, EXPERIMENTS)
    experiment = EXPERIMENTS[name]
    with progress_bar("measuring") as progress:
        data = experiment.run(seed=seed, progress=progress)
    answer = experiment.answer(data)
    facts = {"made_by": "initlab signal", "question": experiment.question}
    facts |= asdict(answer) | {"name": name, "seed": seed}
    picture, *_ = write_answer(name, lambda: experiment.draw(data), facts, out)
    write_netcdf(data, out / f"{name}.nc")
    if json_to is not None:
        write_json(json.dumps(facts, indent=1) + "\n", json_to)
    typer.echo(f"{experiment.question}\n{answer.sentence}", err=json_to == "-")
    typer.echo(f"Picture: {picture}", err=json_to == "-")
