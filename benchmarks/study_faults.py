"""What a study survives, tried for real: every fault here, and what it cost.

Each trial disturbs a run, resumes it, and compares the store with an undisturbed one:
every byte but the markers' times. A shard that was complete before the fault may not be
run again, which its marker's time tells.

    python benchmarks/study_faults.py            # writes docs/faults.md, some minutes
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np

import initlab as il
from initlab import results
from initlab.results import FACTS, STATE, LocalKeys

ROOT = Path(__file__).parents[1]
STUDY = """\
inits = ["he_normal", "normal(std=1)"]
members = 24
steps = 6000
shard_members = 4
record = ["scores"]
[network]
width = 10
[grid]
network.depth = [1, 3]
"""
SHARDS = 2 * 2 * 6
TIMES = [FACTS.index(name) for name in ("seconds", "ended")]
COMMAND = [sys.executable, "-c", "from initlab.cli import main; main()"]
THREADS = 2
DISK = {
    "ENOSPC": (28, "No space left on device"),
    "EROFS": (30, "Read-only file system"),
}


@dataclass
class Outcome:
    """What came of some trials of one fault."""

    fault: str
    trials: int = 0
    lost: int = 0
    most_redone: int = 0
    remarks: list[str] = field(default_factory=list)


def contents(store):
    """Return a store's bytes by key, without the times in its markers."""
    found = {}
    for path in sorted(Path(store).rglob("*")):
        key = path.relative_to(store).as_posix()
        if path.is_dir() or key.startswith(results.WRITER_FOLDER):
            continue
        data = path.read_bytes()
        if key.startswith(f"{STATE}/c/"):
            facts = np.frombuffer(data, "<f8").copy()
            facts[TIMES] = 0
            data = facts.tobytes()
        found[key] = data
    return found


def markers(store):
    """Return the time at which every complete shard ended, by its key."""
    found = {}
    for path in Path(store).glob(f"{STATE}/c/**/0"):
        data = path.read_bytes() if path.is_file() else b""
        if len(data) == 8 * len(FACTS):
            found[str(path)] = np.frombuffer(data, "<f8")[FACTS.index("ended")]
    return found


class Laboratory:
    """A folder with the study and the store that nothing disturbed."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / "study.toml"
        self.file.write_text(STUDY)
        self.study = il.from_toml(STUDY)
        self.whole = self.folder / "whole.zarr"
        began = time.perf_counter()
        process = self.command(self.whole)
        _, said = process.communicate()
        assert process.returncode == 0, said
        self.seconds = time.perf_counter() - began
        self.expected = contents(self.whole)

    def command(self, store, *more):
        """Start the run as a process."""
        return subprocess.Popen(
            [*COMMAND, "run", str(self.file), "--store", str(store), "--threads",
             str(THREADS), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip

    def store(self):
        """Return a new store's path."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / "s.zarr"

    def resume(self, store, outcome, before=None):
        """Resume in this process, and judge what came of it."""
        before = markers(store) if before is None else before
        il.run(self.study, store=store, threads=THREADS).close()
        self.judge(store, outcome, before)

    def judge(self, store, outcome, before):
        outcome.trials += 1
        after = markers(store)
        redone = sum(after.get(key) != ended for key, ended in before.items())
        outcome.most_redone = max(outcome.most_redone, redone)
        found = contents(store)
        outcome.lost += found != self.expected
        shutil.rmtree(Path(store).parent, ignore_errors=True)


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)


def signals(lab, number, trials, rng):
    """Stop the process by a signal at random moments of its life."""
    name = signal.Signals(number).name
    outcome = Outcome(f"{name} at a random moment")
    codes = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
    slowest = 0.0
    for _ in range(trials):
        store = lab.store()
        process = lab.command(store)
        if number == signal.SIGKILL:
            time.sleep(rng.uniform(0.2, 0.95) * lab.seconds)
        else:  # once the store is there: before, Python itself answers
            wait_for(lambda store=store: (store / "zarr.json").exists())
            time.sleep(rng.uniform(0, 0.5) * lab.seconds)
        sent = time.perf_counter()
        process.send_signal(number)
        _, said = process.communicate()
        if process.returncode == 0:
            outcome.remarks.append("one had ended before")
        else:
            slowest = max(slowest, time.perf_counter() - sent)
            assert process.returncode == codes[number], (process.returncode, said)
            if number != signal.SIGKILL:
                assert "Traceback" not in said, said
                assert "the same command resumes" in said, said
        lab.resume(store, outcome)
    if number != signal.SIGKILL:
        outcome.remarks.append(f"stopped within {slowest:.2f} s")
    return outcome


def power_cut(lab, trials, rng):
    """Truncate or remove the files written last, as a file system that lost them."""
    outcome = Outcome("power cut: the last 1-40 files truncated, emptied or gone")
    for _ in range(trials):
        store = lab.store()
        shutil.copytree(lab.whole, store)
        files = sorted(
            (path for path in store.rglob("*") if path.is_file()),
            key=lambda path: path.stat().st_mtime_ns,
        )
        # What describes the study is synced to disk before the first shard.
        chunks = [path for path in files if "/c/" in path.as_posix()]
        for path in chunks[-rng.randint(1, 40) :]:
            damage = rng.choice(["empty", "short", "zeros", "gone"])
            size = path.stat().st_size
            if damage == "gone":
                path.unlink()
            elif damage == "zeros":
                path.write_bytes(bytes(size))
            else:
                os.truncate(path, 0 if damage == "empty" else rng.randrange(size))
        lab.resume(store, outcome, before={})
    return outcome


def description_cut(lab, trials, rng):
    """Truncate or remove what describes the study."""
    outcome = Outcome("a document of the store truncated, emptied or gone")
    for _ in range(trials):
        store = lab.store()
        shutil.copytree(lab.whole, store)
        documents = [*store.glob("**/zarr.json"), *store.glob("member/c/*")]
        path = rng.choice(documents)
        if rng.random() < 0.3:
            path.unlink()
        else:
            os.truncate(path, rng.randrange(path.stat().st_size))
        lab.resume(store, outcome)
    return outcome


class FaultyKeys(LocalKeys):
    """A disk that fails from some write on."""

    def __init__(self, folder, fault, at):
        super().__init__(folder)
        self._fault, self._left = fault, at

    def put(self, key, data, *, durable=False):
        self._left -= 1
        if self._left > 0:
            super().put(key, data, durable=durable)
        elif self._fault == "short":  # of one write, without a word
            if self._left == 0:
                super().put(key, data[: len(data) // 2], durable=durable)
            else:
                super().put(key, data, durable=durable)
        else:
            number, text = DISK[self._fault]
            raise OSError(number, text, key)


def disk(lab, fault, trials, rng):
    """Let a random write fail, and all after it."""
    about = {"ENOSPC": "disk full (ENOSPC)", "EROFS": "disk read-only (EROFS)",
             "short": "one write ends in its middle, unreported"}[fault]  # fmt: skip
    outcome = Outcome(f"{about}, at a random write")
    writes = len(lab.expected)
    for _ in range(trials):
        store, said = lab.store(), ""
        faulty = FaultyKeys(store, fault, rng.randint(1, writes))
        with mock.patch.object(results, "keys_of", lambda _, faulty=faulty: faulty):
            try:
                il.run(lab.study, store=store, threads=THREADS).close()
            except il.InitlabError as error:
                said = str(error)
        assert not said or ("cannot write" in said and "\n" not in said), said
        lab.resume(store, outcome)
    return outcome


@contextmanager
def small_disk(folder, kilobytes):
    """Give a real file system of a few kilobytes, where mounting is allowed."""
    folder.mkdir()
    size = f"size={kilobytes}k"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)],
        check=True, capture_output=True,
    )  # fmt: skip
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(disk, options):
    """Change a mount, as soon as no file is being written there."""
    command = ["mount", "-o", options, str(disk)]
    wait_for(lambda: subprocess.run(command, capture_output=True).returncode == 0)


def mounts(lab, trials, rng):
    """Fill a real disk, or make it read-only under a run; mend it and resume."""
    outcome = Outcome("real mount: full, or read-only half-way")
    for number in range(trials):
        disk = Path(tempfile.mkdtemp(dir=lab.folder)) / "disk"
        try:
            with small_disk(disk, rng.randint(300, 700)):
                store = disk / "s.zarr"
                if number % 2:
                    options = "remount,size=100m"
                    process = lab.command(store)
                    wait_for(lambda store=store: len(markers(store)) > 3)
                    remount(disk, "remount,ro")
                    options += ",rw"
                else:
                    process = lab.command(store)
                    options = "remount,size=100m"
                _, said = process.communicate()
                if process.returncode:
                    assert process.returncode == 2, said
                    assert "Traceback" not in said, said
                remount(disk, options)
                lab.resume(store, outcome)
        except subprocess.CalledProcessError:
            outcome.remarks.append("mounting is not permitted here")
            break
    return outcome


def two_writers(lab, trials, rng):
    """Start a second process on a store; then kill the first and start a third."""
    outcome = Outcome("second process on the store; then kill -9 of the first")
    refused = told = 0
    for _ in range(trials):
        store = lab.store()
        first = lab.command(store)
        wait_for(lambda store=store: len(markers(store)) > rng.randint(1, 6))
        first.send_signal(signal.SIGSTOP)  # it shall not end meanwhile
        before = markers(store)
        second = lab.command(store)
        _, said = second.communicate()
        refused += second.returncode == 2 and "is being written by process" in said
        first.kill()
        first.communicate()
        third = lab.command(store)
        _, said = third.communicate()
        assert third.returncode == 0, said
        told += "did not end in order" in said
        lab.judge(store, outcome, before)
    outcome.remarks.append(
        f"second refused {refused} of {trials}, the dead one recognised {told} of "
        f"{trials}"
    )
    return outcome


class Cluster:
    """A Dask scheduler and workers as processes of their own."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        self.file = self.folder / f"scheduler-{time.monotonic_ns()}.json"
        self.scheduler = self._start(
            "scheduler", "--port", "0", "--dashboard-address", ":0",
            "--scheduler-file", str(self.file),
        )  # fmt: skip
        wait_for(self.file.exists)
        time.sleep(0.5)
        self.address = json.loads(self.file.read_text())["address"]
        self.workers = [self.worker(), self.worker()]

    def _start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env,
            cwd=self.folder,
        )  # fmt: skip

    def worker(self):
        return self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--death-timeout", "20",
        )  # fmt: skip

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def dask_workers(lab, trials, rng):
    """Kill a worker at a random moment, and send another one in its place."""
    outcome = Outcome("kill -9 of a Dask worker")
    cluster = Cluster(lab.folder)
    try:
        for _ in range(trials):
            store = lab.store()
            process = lab.command(store, "--scheduler", cluster.address)
            wait_for(lambda store=store: len(markers(store)) >= 1)
            time.sleep(rng.uniform(0, 0.3) * lab.seconds)
            before = markers(store)
            cluster.workers[0].kill()
            cluster.workers[0].wait()
            cluster.workers[0] = cluster.worker()
            _, said = process.communicate(timeout=120)
            assert process.returncode == 0, said
            lab.judge(store, outcome, before)
    finally:
        cluster.close()
    outcome.remarks.append("the run went on by itself")
    return outcome


def dask_scheduler(lab, trials, rng):
    """Kill the scheduler at a random moment; resume on another one."""
    outcome = Outcome("kill -9 of the Dask scheduler")
    slowest = 0.0
    for _ in range(trials):
        cluster = Cluster(lab.folder)
        try:
            store = lab.store()
            process = lab.command(store, "--scheduler", cluster.address)
            wait_for(lambda store=store: len(markers(store)) >= 1)
            time.sleep(rng.uniform(0, 0.2) * lab.seconds)
            killed = time.perf_counter()
            cluster.scheduler.kill()
            _, said = process.communicate(timeout=120)
            slowest = max(slowest, time.perf_counter() - killed)
            assert process.returncode in (0, 2), said
            if process.returncode:
                assert "Traceback" not in said, said
        finally:
            cluster.close()
        lab.resume(store, outcome)
    outcome.remarks.append(f"the run ended with one sentence, within {slowest:.0f} s")
    return outcome


def all_faults(lab, rng, scale=1.0, only=None):
    """Yield the outcome of every fault, or of those whose numbers are given."""

    def times(count):
        return max(1, round(count * scale))

    trials = [
        lambda: signals(lab, signal.SIGKILL, times(20), rng),
        lambda: signals(lab, signal.SIGINT, times(10), rng),
        lambda: signals(lab, signal.SIGTERM, times(10), rng),
        lambda: power_cut(lab, times(20), rng),
        lambda: description_cut(lab, times(20), rng),
        lambda: disk(lab, "ENOSPC", times(10), rng),
        lambda: disk(lab, "EROFS", times(10), rng),
        lambda: disk(lab, "short", times(10), rng),
        lambda: mounts(lab, times(4), rng),
        lambda: two_writers(lab, times(3), rng),
        lambda: dask_workers(lab, times(4), rng),
        lambda: dask_scheduler(lab, times(3), rng),
    ]
    for number, trial in enumerate(trials):
        if only is None or number in only:
            yield trial()


def table(outcomes):
    lines = [
        "| fault | tried | studies that differ after resuming | complete shards run "
        "again, at most | remarks |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.fault} | {each.trials} | {each.lost} | {each.most_redone} | "
        f"{'; '.join(dict.fromkeys(each.remarks))} |"
        for each in outcomes
    ]
    tried, lost = (sum(getattr(o, n) for o in outcomes) for n in ("trials", "lost"))
    lines.append(f"| all | {tried} | {lost} | | |")
    return "\n".join(lines)


PAGE = """\
# What a study survives

`initlab run` may be stopped, killed or cut off at any moment. Each row below is a fault
that was made happen, many times at random moments, to a study of {shards} shards in a
local store (in `benchmarks/study_faults.py`, which writes this page). After each
the same command resumed the study, and the store was compared with that of an
undisturbed run: every byte of every file, but for the times in the shards' markers. A
shard that was complete before the fault must not be run again; what was in flight is
lost and redone.

{table}

initlab {version}, Python {python}, {cores} cores, {date}.

* After a power cut a file system may lose what was written last, in any order. Shards
  whose chunks are damaged are found by their checksums and run again; the row counts
  none of them as complete.
* Killed workers of a cluster cost what they were working on; Dask gives it to another.
  Without its scheduler a run ends with one sentence and exit code 2, and resumes on
  another one, or on one machine.
* Two processes on one object store are not told apart: there is no lock. One writer per
  store is a promise there.
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/faults.md")
    chosen = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        lab = Laboratory(folder)
        print(f"undisturbed: {lab.seconds:.1f} s", flush=True)
        for outcome in all_faults(
            lab, random.Random(chosen.seed), chosen.scale, chosen.only
        ):
            outcomes.append(outcome)
            print(outcome, flush=True)
    page = PAGE.format(
        shards=SHARDS, table=table(outcomes), version=il.__version__,
        python=sys.version.split()[0], cores=os.cpu_count(),
        date=time.strftime("%Y-%m-%d"),
    )  # fmt: skip
    chosen.out.write_text(page, encoding="utf-8")
    sys.exit(any(outcome.lost for outcome in outcomes))


if __name__ == "__main__":
    main()
