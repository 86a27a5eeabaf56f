"""`initlab check`: a verdict on a PyTorch model's starting weights."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from initlab.cli._options import write_json
from initlab.cli._spelling import command_typed

if TYPE_CHECKING:
    from initlab.messages import Severity
    from initlab.pytorch import Diagnosis, Repair

_KEYS = ("fail-on", "ignore", "input", "tokens")
_DTYPES = ("float32", "float16", "bfloat16", "float64")


def check(
    target: Annotated[
        str,
        typer.Argument(
            help="A function without arguments that makes a model, or a model, as "
            "package.module:name. The module is imported: it runs."
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="Shape of an input, drawn from normals: 8x3x224x224; or of token ids, "
            "as --tokens. Repeat for more, in the model's order.",
        ),
    ] = None,
    tokens: Annotated[
        list[str] | None,
        typer.Option(
            help="Shape of token ids and how many words there are: 4x128:50257. They "
            "come after every --input."
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(min=2, help="Draw labels of so many classes, for the first loss."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Weights to load first: .safetensors, .pt or .pth."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Members, each built anew.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the first member and the inputs.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps.")] = "cpu",
    dtype: Annotated[
        str, typer.Option(help="float32, float16, bfloat16 or float64.")
    ] = "float32",
    json_to: Annotated[
        str | None,
        typer.Option("--json", help="Write JSON: to a file, or to stdout with -."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write one self-contained HTML page.")
    ] = None,
    repair: Annotated[
        Path | None,
        typer.Option(
            help="Repair what was found, and write the weights: out.safetensors; of "
            "several seeds, the first one's."
        ),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Exit 1 from which severity on: error, warning (default), info."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="Checks to leave out, as in WI15; repeat for more."),
    ] = None,
) -> int:
    """Say whether a PyTorch model's initialization is sound, and if not, what to do.

    Exit status: 0 sound, 1 findings, 2 it could not be checked. Defaults of fail-on,
    ignore, input and tokens may stand in pyproject.toml, under [tool.initlab.check].
    """  # fmt: skip
    from initlab.errors import MissingExtraError
    from initlab.messages import SEVERITIES
    from initlab.results import JSON, PAGES, WEIGHTS, refuse_unwritable

    settings = _Settings.of(
        configured(Path.cwd()), inputs, tokens, fail_on, ignore, dtype
    )
    if report is not None:
        refuse_unwritable(report, "--report", ends=PAGES)
    if repair is not None:
        refuse_unwritable(repair, "--repair", ends=WEIGHTS)
    if json_to not in (None, "-"):
        refuse_unwritable(Path(str(json_to)), "--json", ends=JSON)
    try:
        from initlab.pytorch import command
    except ImportError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingExtraError(
            "check needs PyTorch: pip install 'initlab[pytorch]'"
        ) from None
    asked = command.Asked(
        target=target, inputs=settings.inputs, tokens=settings.tokens, classes=classes,
        checkpoint=checkpoint, seed=seed, device=device, dtype=dtype,
        ignore=settings.ignore,
    )  # fmt: skip
    page: Diagnosis | Repair
    # What the target prints must not stand before the JSON.
    with redirect_stdout(sys.stderr) if json_to == "-" else nullcontext():
        if repair is None:
            page = diagnosis = command.check_target(
                asked, seeds=seeds, announce=_announce
            )
        else:
            page = command.repair_target(asked, repair, seeds=seeds, announce=_announce)
            diagnosis = page.after
    if repair is not None:
        of = (
            f": the weights of seed {seed}, the first of {seeds}, which alone was "
            "repaired" if seeds > 1 else ""
        )  # fmt: skip
        typer.echo(f"{page}\n\nwritten to {repair}{of}; measured again:", err=True)
    if json_to is not None:
        write_json(diagnosis.to_json() + "\n", json_to)
    if report is not None:
        page.report(report, command=command_typed())
    _print(diagnosis, to_stderr=json_to == "-")
    worst = [SEVERITIES.index(one.severity) for one in diagnosis.findings]
    return int(max(worst, default=-1) >= SEVERITIES.index(settings.fail_on))


def _announce(module: str) -> None:
    typer.echo(f"importing {module}", err=True)


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings as typed; where nothing was typed, those of pyproject.toml."""

    inputs: tuple[str, ...]
    tokens: tuple[str, ...]
    fail_on: "Severity"
    ignore: tuple[str, ...]

    @classmethod
    def of(
        cls,
        given: Mapping[str, Any],
        inputs: list[str] | None,
        tokens: list[str] | None,
        fail_on: str | None,
        ignore: list[str] | None,
        dtype: str,
    ) -> "_Settings":
        """Return them, each checked.

        Raises:
            InvalidValueError: If a value is not allowed.
        """
        from initlab.errors import InvalidValueError, UnknownNameError
        from initlab.messages import as_checks, as_severity

        severity = (
            as_severity(given.get("fail-on", "warning"), _in_file("fail-on"))
            if fail_on is None
            else as_severity(fail_on, "--fail-on")
        )
        if dtype not in _DTYPES:
            raise UnknownNameError("dtype", dtype, _DTYPES, argument="--dtype")
        ignored = (
            as_checks(ignore, "--ignore")
            if ignore
            else as_checks(given.get("ignore", ()), _in_file("ignore"))
        )
        shapes = tuple(inputs or ()), tuple(tokens or ())
        if not any(shapes):
            shapes = tuple(given.get("input", ())), tuple(given.get("tokens", ()))
        if not any(shapes):
            raise InvalidValueError(
                "the shape of what the model is given is needed, as in "
                "--input 8x3x224x224, or --tokens 4x128:50257",
                argument="--input",
            )
        return cls(*shapes, severity, ignored)


def configured(folder: Path) -> Mapping[str, Any]:
    """Return `[tool.initlab.check]` of the nearest pyproject.toml, or nothing.

    Raises:
        InvalidValueError: If it cannot be read, or a value is of another kind.
        UnknownNameError: If it has a key or a table that we do not know.
    """
    import tomllib

    from initlab.errors import InvalidValueError

    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if not path.is_file():
            continue
        try:
            found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidValueError(f"{path}: {error}") from None
        tool = _table(found.get("tool", {}), "tool")
        ours = _table(tool.get("initlab", {}), "tool.initlab")
        _refuse_unknown("table", ours, "tool.initlab", ("check",))
        table = _table(ours.get("check", {}), "tool.initlab.check")
        _refuse_unknown("key", table, "tool.initlab.check", _KEYS)
        for key, value in table.items():
            _refuse_other_kinds(key, value)
        return table
    return {}


def _table(found: Any, name: str) -> dict[str, Any]:
    from initlab.errors import InvalidValueError

    if not isinstance(found, dict):
        raise InvalidValueError(
            f"must be a table, got {found!r}", argument=f"[{name}] of pyproject.toml"
        )
    return found


def _refuse_unknown(
    kind: str, table: Mapping[str, Any], name: str, known: tuple[str, ...]
) -> None:
    from initlab.errors import UnknownNameError

    for key in table:
        if key not in known:
            raise UnknownNameError(f"{kind} in [{name}] of pyproject.toml", key, known)


def _refuse_other_kinds(key: str, value: Any) -> None:
    """Refuse a value of no kind that its key takes; which ones, is refused as typed."""
    from initlab.errors import InvalidValueError

    texts = [value] if key == "fail-on" else value
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        allowed = "a string" if key == "fail-on" else "a list of strings"
        raise InvalidValueError(f"{allowed}, got {value!r}", argument=_in_file(key))


def _in_file(key: str) -> str:
    """Return what a key of pyproject.toml is called where its value is refused."""
    return f"{key} in [tool.initlab.check]"


def _print(diagnosis: "Diagnosis", *, to_stderr: bool) -> None:
    from rich.console import Console

    from initlab.reports import finding_table

    console = Console(stderr=to_stderr)
    finding_table(diagnosis.dataset, diagnosis.findings).print_to(console)
