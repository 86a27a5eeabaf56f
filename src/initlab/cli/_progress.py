"""Progress on standard error: done, rate, time left."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# The engine's own messages, such as that it compiles for some seconds.
_ENGINE = logging.getLogger("initlab.engine")


@contextmanager
def progress_bar(what: str, *, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """Show what is done, its rate and the time left, while the block runs.

    What the engine logs meanwhile goes above the bar, also where no bar can be shown.

    Args:
        what: The words before the bar.
        unit: The unit of the rate; if empty, no rate is shown.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar, _above_it(console):
        task = bar.add_task(what, total=None, rate="")

        def progress(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:,.0f} {unit}" if speed and unit else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield progress


@contextmanager
def _above_it(console: "Console") -> Iterator[None]:
    """Print the engine's messages while the block runs."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.print(record.getMessage(), style="dim", highlight=False)

    handler, level = Handler(logging.INFO), _ENGINE.level
    _ENGINE.addHandler(handler)
    _ENGINE.setLevel(logging.INFO)
    try:
        yield
    finally:
        _ENGINE.setLevel(level)
        _ENGINE.removeHandler(handler)
