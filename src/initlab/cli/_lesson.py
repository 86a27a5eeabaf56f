"""`initlab lesson`: the classic notebooks as they are.

Heavy imports are inside the functions: `initlab --help` must answer at once.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from initlab.lesson import FunctionGrade, Grade, Judgement, RunReport

app = typer.Typer(
    name="lesson",
    help="The classic lesson: its notebooks, its numbers, its learners.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("run")
def run_lesson(
    notebook: Annotated[
        Path, typer.Argument(help="A notebook of the lesson, or a script.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="Where the executed copy goes; NAME.executed.ipynb."),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write the executed copy as HTML too.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds that one cell may take.")
    ] = 600,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs.")
    ] = False,
) -> int:
    """Run a notebook as it is, and compare its numbers with the lesson's.

    Exit status: 0 every cell ran, 1 a cell failed, 2 it could not be run.
    """
    from initlab.cli._progress import progress_bar
    from initlab.lesson import run

    with progress_bar("cells") as progress:
        report = run(
            notebook, output=output, html=html, timeout=timeout, progress=progress
        )
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=1))
    else:
        for line in _lines(report):
            typer.echo(line)
    return 1 if report.errors else 0


def _lines(report: "RunReport") -> Iterable[str]:
    """Yield the lines that a person reads about a run."""
    yield (
        f"{report.notebook}: {report.ran} of {report.cells} code cells ran in "
        f"{report.seconds:.1f} s"
    )
    if report.provided:
        yield f"  missing here, provided by initlab: {', '.join(report.provided)}"
    for error in report.errors:
        yield f"  cell {error.cell} failed: {error.name}: {_first_line(error.value)}"
    if report.examples:
        yield (
            "  example parameters are the lesson's to all printed digits: "
            f"{', '.join(report.examples)}"
        )
    if not report.printed:
        yield "  no training's costs were printed that the lesson prints too"
    for judgement in report.printed:
        yield from _judged("costs", judgement)
    for judgement in report.stored:
        yield from _judged("your stored costs", judgement)
    yield f"Executed copy: {report.executed}"
    if report.html:
        yield f"Page: {report.html}"


def _judged(what: str, judgement: "Judgement") -> Iterable[str]:
    of = f" from {judgement.init} ({judgement.problem})" if judgement.init else ""
    yield f"  cell {judgement.cell}: {what}{of} {judgement.sentence}"
    pairs = zip(("training", "test"), judgement.accuracies, strict=False)
    for split, (printed, expected) in pairs:
        same = (
            "as in the lesson"
            if abs(printed - expected) < 5e-3
            else (f"the lesson's is {expected:.4g}")
        )
        yield f"    {split} accuracy {printed:.4g}, {same}"
    for remark in judgement.remarks:
        yield f"    {remark}"


def _first_line(text: str) -> str:
    lines: list[Any] = text.strip().splitlines()
    return str(lines[0]) if lines else "(no message)"


@app.command("here")
def write_here(
    folder: Annotated[Path, typer.Argument(help="Where the notebook is.")] = Path(),
) -> None:
    """Write the lesson's modules that are missing here; nothing is replaced."""
    from initlab.lesson import here

    written, kept = here(folder)
    for path in kept:
        typer.echo(f"{path}: is there, stays as it is")
    for path in written:
        typer.echo(f"{path}: written")


_OUTSIDE = (
    "not isolated: this system has neither Landlock nor seccomp, so the program ran "
    "with your rights. For programs that you do not trust, use a container: "
    "docker run --rm --network none --read-only --tmpfs /tmp -v "
    '"$PWD":/work:ro -w /work IMAGE initlab lesson grade FILE'
)


@app.command("grade")
def grade_files(
    files: Annotated[
        list[Path], typer.Argument(help="Learners' notebooks or scripts.")
    ],
    only: Annotated[
        list[str] | None, typer.Option(help="Judge this function only; repeatable.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that one call may take.")
    ] = 10,
    memory: Annotated[
        int, typer.Option(min=512, help="MiB of memory that the program may use.")
    ] = 2048,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs.")
    ] = False,
) -> int:
    """Grade a learner's initializers, and the network's functions where present.

    Exit status: 0 all passed, 1 something did not, 2 something could not be graded.
    """
    from initlab.cli._progress import progress_bar
    from initlab.errors import InitlabError, UnknownNameError
    from initlab.lesson import Limits, grade
    from initlab.lesson.grader import FUNCTIONS

    for name in only or ():
        if name not in FUNCTIONS:
            raise UnknownNameError("function", name, FUNCTIONS)
    limits = Limits(seconds=timeout, memory=memory * 2**20)
    results: list[dict[str, Any]] = []
    status = 0
    with progress_bar("files") as progress:
        for number, file in enumerate(files):
            progress(number, len(files))
            try:
                graded = grade(file, only=only or (), limits=limits)
            except InitlabError as error:
                status = 2
                results.append(
                    {"file": str(file), "status": "could not grade", "why": str(error)}
                )
                if not as_json:
                    typer.echo(f"{file}: could not grade\n  {error}")
                continue
            status = max(status, 0 if graded.passed else 1)
            results.append(graded.as_json())
            if not as_json:
                for line in _graded_lines(graded):
                    typer.echo(line)
    if as_json:
        typer.echo(json.dumps({"version": 1, "files": results}, indent=1))
    return status


def _graded_lines(graded: "Grade") -> Iterable[str]:
    """Yield the lines that a person reads about a grade."""
    yield f"{graded.file}: {'passed' if graded.passed else 'not passed'}"
    for function in graded.functions:
        yield from _function_lines(function)
    for remark in graded.remarks:
        yield f"  note: {remark}"
    if not graded.isolation:
        yield "  nothing of the program ran"
        return
    kept_in = [each for each in graded.isolation if each != "limits"]
    yield (
        f"  isolated: own process and session, limits, {', '.join(kept_in)}"
        if kept_in
        else f"  {_OUTSIDE}"
    )


def _function_lines(function: "FunctionGrade") -> Iterable[str]:
    verdict = "passed" if function.passed else "not passed"
    calls = f" ({function.calls} calls)" if function.passed and function.calls else ""
    yield f"  {function.name}: {verdict}{calls}"
    for finding in function.findings:
        yield f"    expected  {finding.expected}"
        yield f"    came      {finding.got}"
        if finding.likely:
            yield f"    likely    {finding.likely}"
    for remark in function.remarks:
        yield f"    note      {remark}"


@app.command("claims")
def answer_claims(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="best, zeros, extremes, longer, depth; none: all."),
    ] = None,
    members: Annotated[
        int, typer.Option(min=1, help="Networks per init, legacy seeds from 0.")
    ] = 200,
    out: Annotated[Path, typer.Option(help="Folder for pictures and numbers.")] = Path(
        "initlab-claims"
    ),
    threads: Annotated[
        int | None, typer.Option(min=1, help="Networks trained at a time.")
    ] = None,
) -> None:
    """Answer what documents of the lesson say, over many seeds."""
    from initlab.cli._progress import progress_bar
    from initlab.lesson import examine, write_pictures

    with progress_bar("training", unit="steps/s") as progress:
        for examined in examine(
            names or (), members=members, threads=threads, progress=progress
        ):
            typer.echo(f'"{examined.claim.statement}": {examined.answer.verdict}')
            typer.echo(f"  {examined.answer.sentence}.")
            picture, *_ = write_pictures(examined, out)
            typer.echo(f"  Picture: {picture}\n")
