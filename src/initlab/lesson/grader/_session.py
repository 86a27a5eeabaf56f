"""A worker process with a learner's program in it, seen from the grader."""

import ast
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import initlab
from initlab.errors import InitlabError
from initlab.lesson.grader._program import Program
from initlab.lesson.grader._wire import LESSON_SEED, LONGEST, decoded, encoded, line_of

# What a worker is given of this process's environment.
_INHERITED = ("LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TZ")
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/etc/localtime", "/etc/ld.so.cache"),
    *("/etc/fonts", "/dev/urandom"),
)
_START = 30.0  # seconds until Python and NumPy are there


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: Of one call.
        load_seconds: Of its top level, as far as the functions need it.
        memory: Bytes of address space; NumPy alone takes about half a GiB.
        isolate: False runs it without Landlock and seccomp.
    """

    seconds: float = 10.0
    load_seconds: float = 60.0
    memory: int = 2 * 2**30
    isolate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An exception in the learner's program."""

    name: str
    message: str
    line: int | None

    def __str__(self) -> str:
        where = "" if self.line is None else f" (line {self.line} of its part)"
        return f"{self.name}: {self.message}{where}" if self.message else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one call did.

    Attributes:
        result: What came back, decoded.
        raised: The exception instead, if there was one.
        printed: The beginning of what it printed.
        arguments: The arguments as they were afterwards.
        shared: Pairs of places that hold the same memory.
    """

    result: Any
    raised: Raised | None
    printed: str
    arguments: list[Any]
    shared: tuple[tuple[str, str], ...]


class WorkerEndedError(Exception):
    """The worker is gone: it took too long, or ended. The text says which.

    Attributes:
        isolation: What the kernel had taken on, if it ended while it was loaded.
    """

    isolation: tuple[str, ...] = ()


class GradingError(InitlabError):
    """The machine, not the program, keeps it from being graded."""


class Session:
    """One worker with one program; a context, whose end is the worker's.

    Attributes:
        isolation: What the kernel took on: `"landlock"`, `"seccomp"`.
        missing: Functions that the program does not define.
        errors: What its top level raised.
    """

    def __init__(
        self,
        program: Program,
        targets: Sequence[str],
        limits: Limits,
        *,
        seed: int = LESSON_SEED,
        everything: bool = False,
    ) -> None:
        self.limits = limits
        self._folder = Path(tempfile.mkdtemp(prefix="initlab-grade-"))
        self._buffer = b""
        self.calls = 0
        self.isolation: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            _copy_companions(program, self._folder)
            self._start()
            self._send(
                {
                    "chunks": program.chunks,
                    "targets": list(targets),
                    "everything": everything,
                    "seed": seed,
                    "folder": str(self._folder),
                    "readable": [str(path) for path in _readable(program)],
                    "memory": limits.memory,
                    "seconds": int(limits.load_seconds + 30 * limits.seconds),
                    "isolate": limits.isolate,
                }
            )
            try:  # nothing of the program has run yet: a failure is ours
                begun = self._receive(_START)
            except WorkerEndedError as ended:
                raise GradingError(f"the grader's own process {ended}") from None
            self.isolation = tuple(str(each) for each in begun["isolation"])
            loaded = self._receive(limits.load_seconds)
            self.missing = tuple(str(each) for each in loaded["names"])
            self.errors = tuple(_raised(each) for each in loaded["errors"])
        except (KeyError, TypeError) as error:
            self.close()
            raise WorkerEndedError(
                f"sent something that is no reply ({error})"
            ) from None
        except BaseException as error:
            self.close()
            if isinstance(error, WorkerEndedError):
                error.isolation = self.isolation
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self,
        function: str,
        *arguments: Any,
        global_seed: int | None = None,
        **keywords: Any,
    ) -> Reply:
        """Return what the function did with these arguments.

        Args:
            function: Its name.
            arguments: Values that `_wire` can send.
            global_seed: What NumPy's global stream is seeded with before the call;
                None: something else each time.
            keywords: Values too.

        Raises:
            WorkerEndedError: If no reply came in time.
        """
        seed = secrets.randbelow(2**31) if global_seed is None else global_seed
        self._send(
            {
                "function": function,
                "arguments": [encoded(each) for each in arguments],
                "keywords": {name: encoded(value) for name, value in keywords.items()},
                "global_seed": seed,
            }
        )
        reply = self._receive(self.limits.seconds)
        self.calls += 1
        try:
            raised = reply.get("raised")
            return Reply(
                result=decoded(reply["result"]),
                raised=None if raised is None else _raised(raised),
                printed=str(reply["printed"]),
                arguments=[decoded(each) for each in reply["arguments"]],
                shared=tuple((str(a), str(b)) for a, b in reply["shared"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WorkerEndedError(
                f"sent something that is no reply ({error})"
            ) from None

    def close(self) -> None:
        """End the worker and all that it started, and remove its folder."""
        if self._process is not None:
            # Its session is its own, and so is its group.
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self._process.kill()
            self._process.wait()
            os.close(self._to)
            os.close(self._from)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        their_requests, self._to = os.pipe()
        self._from, their_replies = os.pipe()
        theirs = (their_requests, their_replies)
        environment = {
            name: os.environ[name] for name in _INHERITED if name in os.environ
        }
        environment |= {
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "MPLBACKEND": "Agg",
            "PYTHONPATH": str(_package_root()),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        module = "initlab.lesson.grader._worker"
        fonts = _font_cache()
        if fonts is not None:
            environment["MPLCONFIGDIR"] = str(fonts)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-m", module, *map(str, theirs)],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=theirs,
                start_new_session=True,
            )
        finally:
            for descriptor in theirs:
                os.close(descriptor)

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            data = line_of(message)
            while data:
                data = data[os.write(self._to, data) :]
        except BrokenPipeError:
            raise WorkerEndedError("ended its process") from None

    def _receive(self, seconds: float) -> Any:
        """Return the next reply, or say why there is none."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise WorkerEndedError(f"took longer than {seconds:g} seconds")
                part = os.read(self._from, 2**20)
                if not part:
                    raise WorkerEndedError("ended its process")
                self._buffer += part
                if len(self._buffer) > LONGEST:
                    raise WorkerEndedError("returned more than can be looked at")
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            return json.loads(line)
        except ValueError:
            raise WorkerEndedError("sent something that is no reply") from None


def _raised(data: Any) -> Raised:
    line = data["line"]
    return Raised(
        name=str(data["name"])[:100],
        message=" ".join(str(data["message"])[:300].split()),
        line=line if isinstance(line, int) else None,
    )


def _package_root() -> Path:
    return Path(str(initlab.__file__)).resolve().parent.parent


def _font_cache() -> Path | None:
    """Return where matplotlib keeps its list of fonts; made anew it takes seconds."""
    home = Path.home()
    for folder in (home / ".cache" / "matplotlib", home / ".matplotlib"):
        if folder.is_dir():
            return folder
    return None


def _readable(program: Program) -> list[Path]:
    """Return what Python needs to read: itself, its packages, system libraries."""
    package = _package_root() / "initlab"
    places = {Path(sys.prefix), Path(sys.base_prefix), package}
    places |= {Path(path) for path in sysconfig.get_paths().values()}
    places |= {Path(path) for path in sys.path if "site-packages" in path}
    places |= {Path(each) for each in _SYSTEM}
    fonts = _font_cache()
    if fonts is not None:
        places.add(fonts)
    # Never the folder of the submissions, even where it lies within one of these.
    return sorted(path for path in places if path != program.path.parent.resolve())


def _copy_companions(program: Program, folder: Path) -> None:
    """Copy the modules beside the program that it imports; it sees nothing else."""
    for node in ast.walk(ast.parse(program.text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in {name.split(".")[0] for name in names}:
            beside = program.path.resolve().parent / name
            if beside.with_suffix(".py").is_file():
                shutil.copy(beside.with_suffix(".py"), folder)
            elif beside.is_dir() and not (folder / name).exists():
                shutil.copytree(beside, folder / name, ignore=_all_but_python)


def _all_but_python(folder: str, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if not name.endswith(".py") and not (Path(folder) / name).is_dir()
    ]
