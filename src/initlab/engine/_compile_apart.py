"""Kernels compiled in processes of their own, side by side.

There Numba leaves every callee as it is, since one pass over the whole at the end is
enough; here that would slow down whatever else the user compiles with it. And kernels
are the same bytes whatever Numba is told in this process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from initlab.engine._target import Target

# A short life: what Numba leaves behind need not be collected (0.5 s of it). And the
# package is a bare one there, without all that training imports (0.25 s).
_PROGRAM = """
import gc, json, sys, types
gc.disable()
path, folder, precision, target, names = json.loads(sys.argv[1])
sys.path[:] = path
package = sys.modules["initlab.engine"] = types.ModuleType("initlab.engine")
package.__path__ = [folder]
from initlab.engine._compile_apart import compiled_here
from initlab.engine._target import Target
sys.stdout.buffer.write(compiled_here(precision, Target(**target), names))
"""


def compiled(
    precision: str, to: Target, groups: Sequence[Sequence[str]]
) -> list[bytes]:
    """Return an object file for each group of kernels; the same bytes every time.

    Args:
        precision: `"float64"` or `"float32"`.
        to: What to compile for.
        groups: Names of kernels; a process for each.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.extend(_begun(precision, to, names) for names in groups)
        codes = [process.communicate()[0] for process in processes]
        if not any(process.returncode for process in processes):
            return codes
    except OSError:  # no processes, or no program to start
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()
    # Slower, and as right.
    return [compiled_here(precision, to, names) for names in groups]


def compiled_here(precision: str, to: Target, names: Sequence[str]) -> bytes:
    """Return an object file with these kernels, compiled in this process."""
    # Numba takes half a second to import.
    from initlab.engine._compile import object_code
    from initlab.engine._lane_signatures import signatures

    every = signatures(precision, to)
    return object_code({name: every[name] for name in names}, to)


def _begun(
    precision: str, to: Target, names: Sequence[str]
) -> "subprocess.Popen[bytes]":
    told = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NUMBA_")
    }
    folder = str(Path(__file__).parent)
    path = [each for each in sys.path if isinstance(each, str)]  # imports ask no other
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            _PROGRAM,
            json.dumps([path, folder, precision, asdict(to), list(names)]),
        ],
        env=told | {"NUMBA_OPT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
