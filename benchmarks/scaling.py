"""Efficiency by shard size and workers: measured to two, simulated to 1,000.

    python benchmarks/scaling.py     # writes the tables of docs/cluster.md

Measured on a Dask cluster of processes on this machine: what a shard takes on a worker,
and what it costs the one process that sends tasks, receives results and writes them.
Simulated from these: so many workers, and that one process, with the same bounded
number of shards in flight.
"""

import heapq
import random
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import initlab as il
from initlab.study import _keep

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/cluster.md"
SIZES = (4, 16, 64)
WORKERS = (1, 2, 10, 30, 100, 300, 1000)
STEPS = 3000


@dataclass
class Measured:
    """One run on so many workers."""

    workers: int
    shard_members: int
    shards: int
    task: float  # seconds on a worker, median
    busy: float  # share of the workers' time in which they trained
    conductor: float  # seconds of processor time per shard, in the one process
    writing: float  # seconds of these in which a shard is written, median
    kilobytes: float  # of a shard's result, compressed


def study(shard_members, shards):
    return il.Study(
        network={"widths": (2, 10, 5, 1)},
        inits=["he_normal"],
        members=shard_members * shards,
        steps=STEPS,
        seeding="stream",
        shard_members=shard_members,
        record=["scores", "layers"],
    )


def measured(client, workers, shard_members, shards):
    """Run once on a cluster whose workers have compiled kernels already."""
    tasks, writes, sizes = [], [], []
    keep = _keep.InStore.keep

    def timed(self, shard, done):
        began = time.perf_counter()
        keep(self, shard, done)
        writes.append(time.perf_counter() - began)
        tasks.append(done.seconds)
        sizes.append(sum(map(len, done.chunks.values())))

    executor = client.get_executor(pure=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(_keep.InStore, "keep", timed),
    ):
        began, used = time.perf_counter(), time.process_time()
        il.run(
            study(shard_members, shards), store=Path(folder) / "s.zarr",
            executor=executor, engine="lanes",
        ).close()  # fmt: skip
        wall, used = time.perf_counter() - began, time.process_time() - used
    return Measured(
        workers=workers,
        shard_members=shard_members,
        shards=shards,
        task=statistics.median(tasks),
        busy=sum(tasks) / (workers * wall),
        conductor=used / shards,
        writing=statistics.median(writes),
        kilobytes=statistics.median(sizes) / 1024,
    )


def measurements():
    from distributed import Client, LocalCluster

    for workers in (1, 2):
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            measured(client, workers, 4, 2 * workers)  # loads and compiles
            for size in SIZES:
                shards = max(8, 640 // size) * workers
                found = measured(client, workers, size, shards)
                print(found, flush=True)
                yield found


def simulated(workers, task, conductor, shards_per_worker=20, seed=0):
    """Return the share of the workers' time in which they train.

    A closed loop: each of `2 * workers + 2` shards in flight waits for a worker, is
    trained (10 % spread), then waits for the one process, which writes it and sends the
    next. Results in order of arrival.
    """
    rng = random.Random(seed)
    total = shards_per_worker * workers
    free = [(0.0, worker) for worker in range(workers)]
    waiting = [0.0] * min(2 * workers + 2, total)  # when each was sent
    heapq.heapify(waiting)
    arrivals, sent, ended = [], len(waiting), 0
    clock = busy = 0.0
    while ended < total:
        while waiting and (not arrivals or waiting[0] <= arrivals[0] or not clock):
            ready = heapq.heappop(waiting)
            at, worker = heapq.heappop(free)
            took = task * rng.uniform(0.9, 1.1)
            busy += took
            end = max(at, ready) + took
            heapq.heappush(free, (end, worker))
            heapq.heappush(arrivals, end)
        clock = max(clock, heapq.heappop(arrivals)) + conductor
        ended += 1
        if sent < total:
            heapq.heappush(waiting, clock)
            sent += 1
    return busy / (workers * clock)


def tables(found):
    lines = [
        "| workers | members per shard | seconds per shard | share of the workers' "
        "time spent training | processor time per shard in the one process | of it "
        "writing | result |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {m.workers} | {m.shard_members} | {m.task:.2f} | {m.busy:.2f} | "
        f"{1e3 * m.conductor:.0f} ms | {1e3 * m.writing:.0f} ms | "
        f"{m.kilobytes:.0f} KiB |"
        for m in found
    ]
    cost = statistics.median(m.conductor for m in found if m.workers == 2)
    lines += [
        "",
        f"Simulated, with {1e3 * cost:.0f} ms per shard in the one process (the median "
        "of the above), share of the workers' time spent training:",
        "",
        f"| seconds per shard | {' | '.join(f'{n:,} workers' for n in WORKERS)} |",
        "|---|" + "---|" * len(WORKERS),
    ]
    for task in (1, 10, 60, 600):
        shares = (simulated(n, task, cost) for n in WORKERS)
        lines.append(f"| {task} | {' | '.join(f'{each:.2f}' for each in shares)} |")
    lines += [
        "",
        f"The one process is busy all the time from about {1 / cost:,.0f} workers per "
        "second of a shard's training on: shards of 60 s keep "
        f"{60 / cost:,.0f} workers busy.",
        "",
        f"initlab {il.__version__}, 2-10-5-1, {STEPS:,} steps, "
        f"{time.strftime('%Y-%m-%d')}; the machine had other work to do.",
    ]
    return "\n".join(lines)


def main():
    found = list(measurements())
    text = PAGE.read_text(encoding="utf-8")
    made = f"<!-- scaling -->\n{tables(found)}\n<!-- /scaling -->"
    pattern = re.compile(r"<!-- scaling -->.*<!-- /scaling -->", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _: made, text), encoding="utf-8")
    print(made)


if __name__ == "__main__":
    sys.exit(main())
