"""A notebook of the lesson, executed as it is, and what its numbers say."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from initlab.errors import OutputError
from initlab.lesson._judgement import (
    Judgement,
    Measure,
    examples_printed,
    judge,
    measured_spread,
)
from initlab.lesson._notebook import read, source_of
from initlab.lesson._printed import printed_in
from initlab.lesson._surroundings import PROVIDED_LOG
from initlab.results import moved_into_place

# Told (cells done, cells in all) before each cell.
Progress = Callable[[int, int], None]

CELL_TIMEOUT = 600.0  # seconds; the lesson's slowest cell takes a few
_START_TIMEOUT = 60
_MARK = "initlab_executed"
_LOG = "provided"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellError:
    """What a cell raised.

    Attributes:
        cell: Which code cell, from 1.
        name, value: The exception's class and text.
    """

    cell: int
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What became of a notebook.

    Attributes:
        notebook: Its path.
        executed: Where the executed copy is.
        html: Where its HTML is, if asked for.
        cells: How many cells with code it has; `ran` of them ran.
        seconds: How long they took.
        errors: What cells raised; the others ran nevertheless.
        provided: Modules that were missing and came from initlab.
        printed: A judgement of every training that was printed.
        stored: The same of the outputs that were stored in the notebook.
        examples: Initializers whose example parameters are the lesson's.
    """

    notebook: Path
    executed: Path
    html: Path | None
    cells: int
    ran: int
    seconds: float
    errors: tuple[CellError, ...]
    provided: tuple[str, ...]
    printed: tuple[Judgement, ...]
    stored: tuple[Judgement, ...]
    examples: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        content = asdict(self)
        for name in ("notebook", "executed", "html"):
            content[name] = None if content[name] is None else str(content[name])
        return content


def run(
    notebook: str | Path,
    *,
    output: str | Path | None = None,
    html: bool = False,
    timeout: float = CELL_TIMEOUT,
    progress: Progress | None = None,
    measure: Measure = measured_spread,
) -> RunReport:
    """Execute a notebook or script of the lesson and judge what it printed.

    The file itself is never written to. It runs in a process of its own, in its own
    folder, with your rights: it is not isolated.

    Args:
        notebook: `.ipynb` of any format, or `.py`.
        output: Where the executed copy goes; None: `NAME.executed.ipynb` beside it.
        html: Write it as one HTML page too.
        timeout: Seconds that one cell may take.
        progress: Told the cells done and in all.
        measure: How the spread of a training is measured.

    Raises:
        DataError: If the file is no notebook or script.
        OutputError: If the executed copy cannot be written, or would replace a file
            that is none of ours.
    """
    path = Path(notebook)
    content = read(path)
    executed = Path(output) if output else path.with_suffix(".executed.ipynb")
    page = executed.with_suffix(".html") if html else None
    _refuse_foreign(executed, path)
    with moved_into_place(executed, keep=False):
        pass  # before minutes of training: can it be written at all?
    stored = printed_in(content)
    started = time.monotonic()
    ran, provided = _execute(content, path, timeout, progress)
    seconds = time.monotonic() - started
    content.metadata[_MARK] = {"of": path.name}
    _write(content, executed, page)
    printed = printed_in(content)
    codes = [cell for cell in content.cells if cell.cell_type == "code"]
    return RunReport(
        notebook=path,
        executed=executed,
        html=page,
        cells=len(_with_code(content)),
        ran=ran,
        seconds=seconds,
        errors=tuple(_errors(codes)),
        provided=provided,
        printed=tuple(judge(printed, measure)),
        stored=tuple(judge(stored, measure)),
        examples=tuple(examples_printed(printed)),
    )


def _refuse_foreign(executed: Path, notebook: Path) -> None:
    if executed.suffix != ".ipynb":
        raise OutputError(
            f"must end in .ipynb, got {str(executed)!r}", argument="output"
        )
    if executed.resolve() == notebook.resolve():
        raise OutputError(
            f"{executed} is the notebook itself; name another", argument="output"
        )
    if not executed.exists():
        return
    try:
        metadata = json.loads(executed.read_text(encoding="utf-8"))["metadata"]
        ours = _MARK in metadata
    except (OSError, ValueError, LookupError, TypeError):
        ours = False
    if not ours:
        raise OutputError(
            f"{executed} exists and was not written by this command; "
            "name another with --output",
            argument="output",
        )


def _execute(
    content: Any, path: Path, timeout: float, progress: Progress | None
) -> tuple[int, tuple[str, ...]]:
    """Run all cells in place; return how many ran, and what was provided."""
    from nbclient.exceptions import DeadKernelError

    total = len(_with_code(content))
    done = 0
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    def begin(**_: Any) -> None:
        if progress is not None:
            progress(done, total)

    def end(**_: Any) -> None:
        nonlocal done
        done += 1

    hooks = {"on_cell_execute": begin, "on_cell_executed": end}
    with tempfile.TemporaryDirectory(prefix="initlab-lesson-") as temporary:
        folder = Path(temporary)
        try:
            asyncio.run(_executed(content, path, timeout, folder, hooks))
        except DeadKernelError:
            _record_death(content, done)
        log = folder / _LOG
        provided = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return done, tuple(dict.fromkeys(json.loads(line) for line in provided))


async def _executed(
    content: Any, path: Path, timeout: float, folder: Path, hooks: dict[str, Any]
) -> None:
    """Execute the notebook in a new kernel that works in the notebook's folder."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError
    from zmq.asyncio import Context

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    context: Any = Context()
    left_open: list[tuple[Any, subprocess.Popen[bytes]]] = []

    def begin(**_: Any) -> None:
        left_open.append((client.kc, manager.provisioner.process))
        # nbclient's own handler ends the kernel, and reports its death as an error.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGINT, stop)

    manager: Any = AsyncKernelManager(
        context=context,
        # The Python that runs initlab, whatever kernels are installed or named.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(folder / "kernel.json"),
        # Sockets in that folder, where the system has them: not on any network.
        transport="ipc" if os.name == "posix" else "tcp",
    )
    client = NotebookClient(
        content,
        km=manager,
        resources={"metadata": {"path": str(path.parent.resolve())}},
        timeout=timeout,
        startup_timeout=_START_TIMEOUT,
        interrupt_on_timeout=True,
        allow_errors=True,
        shutdown_kernel="immediate",
        extra_arguments=["--ext=initlab.lesson._kernel"],
        on_notebook_start=begin,
        **hooks,
    )
    try:
        await client.async_execute(
            env=_environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (asyncio.CancelledError, DeadKernelError):
        if stopped:
            raise KeyboardInterrupt from None
        raise
    finally:
        # nbclient leaves them open where a kernel dies or is interrupted.
        for connection, kernel in left_open:
            kernel.kill()
            kernel.wait()
            connection.stop_channels()
            connection.context.destroy(linger=0)
        context.destroy(linger=0)


def _environment(folder: Path) -> dict[str, str]:
    """Return this process's environment, without what would change a notebook."""
    environment = {
        name: value for name, value in os.environ.items() if name != "MPLBACKEND"
    }
    return environment | {
        "IPYTHONDIR": str(folder),  # nobody's start-up files
        PROVIDED_LOG: str(folder / _LOG),
        "PIP_RETRIES": "0",  # `!pip install` in a cell fails at once without a network
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _with_code(content: Any) -> list[Any]:
    """Return the cells that are executed; empty ones are not."""
    return [
        cell
        for cell in content.cells
        if cell.cell_type == "code" and source_of(cell).strip()
    ]


def _record_death(content: Any, done: int) -> None:
    """Put the kernel's end where the cell's outputs would be."""
    import nbformat

    codes = _with_code(content)
    running = codes[done : done + 1]
    for cell in running or codes[-1:]:
        cell.outputs.append(
            nbformat.v4.new_output(
                "error",
                ename="DeadKernel",
                evalue="the cell ended its Python process; nothing after it ran",
                traceback=[],
            )
        )


def _errors(codes: list[Any]) -> list[CellError]:
    return [
        CellError(cell=number, name=output.ename, value=str(output.evalue))
        for number, cell in enumerate(codes, start=1)
        for output in cell.outputs
        if output.output_type == "error"
    ]


def _write(content: Any, executed: Path, page: Path | None) -> None:
    import nbformat

    with moved_into_place(executed) as temporary:
        nbformat.write(content, temporary)
    if page is not None:
        with moved_into_place(page) as temporary:
            temporary.write_text(_html(content, executed), encoding="utf-8")


def _html(content: Any, executed: Path) -> str:
    """Return one page that opens offline: pictures inside, nothing from outside."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(mathjax_url="", require_js_url="", embed_images=True)
    exporter.exclude_input_prompt = True
    resources = {"metadata": {"name": executed.stem, "path": str(executed.parent)}}
    page, _ = exporter.from_notebook_node(content, resources=resources)
    return re.sub(r'<script src="">\s*</script>', "", str(page))  # named "" above
