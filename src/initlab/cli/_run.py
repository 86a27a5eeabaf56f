"""`initlab run` and `initlab merge`: a study written as TOML, resumable."""

import logging
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from initlab.cli._options import Threads
from initlab.cli._progress import progress_bar
from initlab.cli._stopped import StoppedError

if TYPE_CHECKING:
    from initlab.spec import Problem, Study

# A study beyond any of these deserves a second thought, and so needs --yes.
_LONG = 24 * 3600.0  # seconds
_LARGE = 10 * 2**30  # bytes
_MANY = 100_000  # shards: files by the million

_INTERRUPTED, _TERMINATED = 130, 143


def run(
    study: Annotated[Path, typer.Argument(help="The study: a TOML file.")],
    store: Annotated[
        str | None,
        typer.Option(
            help="Where results go: a .zarr folder, or an address that fsspec knows, "
            "as s3://bucket/s.zarr. One that is there is resumed. Default: beside the "
            "study, with its name."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="lanes, wide, reference, or auto; see initlab info.")
    ] = "auto",
    threads: Threads = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="A Dask cluster's scheduler to run on: tcp://host:8786."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="i/n: only the i-th of n parts, into a store of its own; "
            "initlab merge unites them."
        ),
    ] = None,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend", help="Grow the store by members, inits or values of the grid."
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Run it even if it takes days or many gigabytes."),
    ] = False,
) -> None:
    """Run a study written as TOML; the same command resumes it.

    Stop it at any time: what is in the store stays, and nothing is done twice.
    """
    part = _part(shard)
    asked = _read(study)
    where = store or str(study.with_suffix(".zarr"))
    _refuse_store(where)
    with (
        _terminable(), _stoppable(where), _executor(scheduler) as executor,
        _of_the_study(study),
    ):  # fmt: skip
        _run(
            asked, where, yes=yes, engine=engine, threads=threads,
            executor=executor, extend=extend, part=part,
        )  # fmt: skip


def merge(
    store: Annotated[str, typer.Argument(help="The store to write or to add to.")],
    parts: Annotated[
        list[str], typer.Argument(help="Stores that initlab run --shard i/n wrote.")
    ],
) -> None:
    """Unite the parts of a study that ran apart into one store."""
    from initlab.results import merge as merged
    from initlab.results import status

    with progress_bar("merging", unit="parts/s") as progress:
        copied = merged(store, parts, progress=progress)
    found = status(store)
    typer.echo(
        f"{store}: {copied:,} shards copied, {found.shards_done:,} of "
        f"{found.shards:,} are there"
    )


def _refuse_store(store: str) -> None:
    """Make sure that the store can be written, before the study is looked at."""
    from initlab.errors import InvalidValueError
    from initlab.results import refuse_unstorable

    if not store.rstrip("/").endswith(".zarr"):
        raise InvalidValueError(
            f"must end in .zarr, got {store!r}; initlab export makes other "
            "files of a store",
            argument="--store",
        )
    refuse_unstorable(store)


def _run(study: "Study", store: str, *, yes: bool, **where: Any) -> None:
    from initlab.results import status
    from initlab.study import estimate
    from initlab.study import run as conduct

    def say(line: str) -> None:
        print(f"initlab: {line}", file=sys.stderr, flush=True)

    size = estimate(study, engine=where["engine"], threads=where["threads"])
    large = size.seconds > _LONG or size.bytes > _LARGE or size.shards > _MANY
    if large and not yes:
        from initlab.errors import InvalidValueError

        raise InvalidValueError(
            f"{size}; add --yes to run it, or make it smaller", argument="study"
        )
    say(str(size))
    with progress_bar("training", unit="steps/s") as progress:
        conduct(study, store=store, progress=progress, say=say, **where).close()
    found = status(store)
    typer.echo(
        f"{store}: {found.networks_done:,} of {found.networks:,} networks, "
        f"{found.diverged:,} diverged"
    )
    if found.networks_done == found.networks:
        typer.echo(f"Next: initlab report {store}")


def _read(path: Path) -> "Study":
    from initlab.errors import InitlabError, InvalidValueError
    from initlab.spec import from_toml

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidValueError(
            str(error.strerror), argument="study", part=f" {path}"
        ) from None
    except UnicodeDecodeError:
        raise InvalidValueError(
            "not text in UTF-8", argument="study", part=f" {path}"
        ) from None
    try:
        return _beside(from_toml(text), path.parent)
    except InitlabError as error:
        raise error.within("study", f" {path}") from None


def _beside(study: "Study", folder: Path) -> "Study":
    """Return the study with the paths of its data as seen from the working folder.

    Data lie beside the study. A path that exists from the working folder only is kept,
    as in a study that `initlab compare` wrote into a folder of its own.
    """

    def found(problem: "Problem") -> "Problem":
        here, place = Path(problem.name), folder / problem.name
        if not problem.is_file or place == here:
            return problem
        if here.is_file() and not place.is_file():
            return problem
        return problem.model_copy(update={"name": str(place)})

    grid: Mapping[str, Any] | None = study.grid
    if grid and "problem" in grid:
        grid = {**grid, "problem": tuple(map(found, grid["problem"]))}
    return study.model_copy(update={"problem": found(study.problem), "grid": grid})


@contextmanager
def _of_the_study(path: Path) -> Iterator[None]:
    """Name the study's file in errors about its fields, its data or the memory."""
    from initlab.errors import InvalidValueError
    from initlab.spec import MLP, Problem, Study

    try:
        yield
    except InvalidValueError as error:
        fields = {*Study.model_fields, *MLP.model_fields, *Problem.model_fields}
        if error.argument not in fields:
            raise
        raise error.within("study", f" {path}") from None


def _part(text: str | None) -> tuple[int, int] | None:
    from initlab.errors import InvalidValueError

    if text is None:
        return None
    try:
        number, parts = (int(each) for each in text.split("/"))
        if not 1 <= number <= parts:
            raise ValueError
        return number, parts
    except ValueError:
        raise InvalidValueError(
            f"i/n with 1 <= i <= n, as in 3/100, got {text[:60]!r}", argument="shard"
        ) from None


@contextmanager
def _executor(scheduler: str | None) -> Iterator[Any]:
    """Yield the executor of a Dask cluster that is already running, or None."""
    if scheduler is None:
        with nullcontext() as nothing:
            yield nothing
        return
    from initlab.errors import ExecutionError, MissingExtraError

    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError(
            "needs Dask: pip install 'initlab[distributed]'", argument="scheduler"
        ) from None
    # We say ourselves, in one sentence, what a lost scheduler means for the run.
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, TimeoutError, ValueError) as error:
        raise ExecutionError(
            f"nobody answers at {scheduler}: {str(error)[:200]}", argument="scheduler"
        ) from None
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close(timeout=1)


class _TerminatedError(BaseException):
    """SIGTERM, as an exception: whatever is open is closed in order."""


@contextmanager
def _terminable() -> Iterator[None]:
    def terminate(_: int, __: FrameType | None) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _stoppable(store: str) -> Iterator[None]:
    """Say in one line what is kept, when the user has had enough."""
    try:
        yield
    except (KeyboardInterrupt, _TerminatedError) as stop:
        code = _INTERRUPTED if isinstance(stop, KeyboardInterrupt) else _TERMINATED
        raise StoppedError(_kept(store), code) from None


def _kept(store: str) -> str:
    from initlab.errors import InitlabError
    from initlab.results import status

    try:
        found = status(store)
    except InitlabError:
        return "stopped before anything was written"
    return (
        f"stopped: {found.networks_done:,} of {found.networks:,} networks are in "
        f"{store}; the same command resumes"
    )
