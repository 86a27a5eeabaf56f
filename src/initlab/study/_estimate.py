"""How large a study is, before it is begun: networks, time, disk, memory."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from initlab import engine as engines
from initlab import results
from initlab.errors import InvalidValueError
from initlab.spec import Study, as_count
from initlab.study._plan import AUTO, Plan, planned

# What a shard's files take on a local disk (measured: 3 to 14 ms, of any size).
_SHARD_SECONDS = 0.007


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a study needs, by the model behind `engine="auto"`.

    Attributes:
        networks: To train.
        cells: Of the grid.
        shards: That they are stored in.
        seconds: On this machine's cores, and for the files of its shards; of these
            engines, the order of magnitude.
        bytes: Of the results, before compression.
        shard_bytes: Of one shard's results.
    """

    networks: int
    cells: int
    shards: int
    seconds: float
    bytes: int
    shard_bytes: int

    def __str__(self) -> str:
        """Return it as one line."""
        return (
            f"{counted(self.networks, 'network')} in {counted(self.cells, 'cell')}, "
            f"{counted(self.shards, 'shard')} of {sized(self.shard_bytes)}: about "
            f"{lasting(self.seconds)} on this machine, {sized(self.bytes)} of results"
        )


def counted(count: int, what: str) -> str:
    """Return how many of something, in words that fit the number."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def estimated(plan: Plan, threads: int | None = None) -> Estimate:
    """Return what the study needs."""
    study = plan.study
    members = len(study.inits) * study.members
    cores = threads or engines.cores()
    shards = len(plan.cells) * len(study.inits) * plan.layout.blocks
    seconds = shards * _SHARD_SECONDS
    for cell in plan.cells:
        batch = cell.study.batch_size or len(cell.examples.train_x)
        cost = engines.step_cost(cell.study.network, batch, cell.study.precision)
        if plan.engine == "lanes":
            each = cost.lanes_for(members, cores)
        elif plan.engine == "wide":
            each = cost.wide_for(members, cores)
        else:
            each = -(-members // cores) * cost.wide
        seconds += each * study.steps / 1e6
    size = plan.layout.bytes_at_most
    return Estimate(
        networks=members * len(plan.cells),
        cells=len(plan.cells),
        shards=shards,
        seconds=seconds,
        bytes=size,
        shard_bytes=min(
            size * study.shard_members // (members * len(plan.cells)), size
        ),
    )


def estimate(
    study: Study, *, engine: str = AUTO, threads: int | None = None
) -> Estimate:
    """Return what a study needs, without running any of it.

    Args:
        study: Checked as if it was to be run.
        engine: As in `initlab.run`.
        threads: Networks at a time; None: one per core.

    Raises:
        InvalidValueError, DataError: As `initlab.run`.
    """
    threads = as_threads(threads)
    return estimated(planned(study, {}, engine), threads)


def as_threads(threads: Any) -> int | None:
    """Return how many networks shall be trained at a time; None: one per core.

    Raises:
        InvalidValueError: If it is no count.
    """
    return None if threads is None else as_count("threads", threads, least=1)


def refuse_impossible(plan: Plan, store: str | Path | None) -> None:
    """Make sure that the results have room, before anything is written.

    Raises:
        InvalidValueError: If they do not fit the memory, or the disk.
    """
    estimate = estimated(plan)
    memory = available_memory()
    if store is None:
        if memory is not None and estimate.bytes > memory:
            raise InvalidValueError(
                f"{estimate}, and {sized(memory)} of memory are free; give "
                "store= to keep them on disk, or record less",
                argument="study",
            )
        return
    if memory is not None and 4 * estimate.shard_bytes > memory:
        raise InvalidValueError(
            f"{estimate}, and {sized(memory)} of memory are free for the shards "
            "in flight; a smaller shard_members makes them smaller",
            argument="study",
        )
    if results.is_remote(store):
        return
    folder = Path(str(store).removeprefix("file://")).absolute().parent
    free = shutil.disk_usage(folder).free
    if estimate.bytes > free:
        raise InvalidValueError(
            f"{estimate}, and {sized(free)} are free in {folder}; use another "
            "disk, fewer records, or record less",
            argument="study",
        )


def available_memory() -> int | None:
    """Return the bytes that can be had without swapping; None: it cannot be told."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def sized(size: float) -> str:
    """Return a number of bytes for people.

    Example:
        >>> sized(3 * 2**30), sized(5_000)
        ('3 GiB', '4.88 KiB')
    """
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:,.3g} {unit}"


def lasting(seconds: float) -> str:
    """Return a duration for people.

    Example:
        >>> lasting(0.003), lasting(30), lasting(7_200), lasting(5e5)
        ('a second', '30 s', '2 h', '5.8 days')
    """
    if seconds < 1:  # what every command takes to start
        return "a second"
    for unit, length in (("days", 86_400 * 1.5), ("h", 5_400), ("min", 90)):
        if seconds >= length:
            per = {"days": 86_400, "h": 3_600, "min": 60}[unit]
            return f"{seconds / per:,.2g} {unit}"
    return f"{seconds:.2g} s"
