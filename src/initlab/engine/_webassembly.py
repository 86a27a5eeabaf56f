"""The kernels for a browser tab: the same source, as WebAssembly.

`make wasm` writes the file beside this one; pages and tests only read it.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from initlab.engine._compile_apart import compiled
from initlab.engine._target import WEBASSEMBLY

PRECISION = "float32"
FILE = Path(__file__).parent / "lanes.wasm"
KERNELS = ("activate", "train", "score", "measure")
_EXPORTED = (*KERNELS, "__heap_base")
_PAGES = 256  # of 64 KiB, to begin with; memory.grow gets more


def build(path: Path = FILE) -> None:
    """Compile and link the kernels, and put them in place.

    Raises:
        RuntimeError: If there is no linker for WebAssembly.
    """
    linker = linker_command()
    if linker is None:
        raise RuntimeError(
            "no wasm-ld: install the extra, pip install 'initlab[wasm]', or lld"
        )
    (code,) = compiled(PRECISION, WEBASSEMBLY, [KERNELS])
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole, linked = Path(folder) / "lanes.o", Path(folder) / path.name
        whole.write_bytes(code)
        subprocess.run(
            [
                *linker, "--no-entry", "--strip-all",
                *(f"--export={name}" for name in _EXPORTED),
                f"--initial-memory={_PAGES * 65536}", "-o", linked, whole,
            ],
            check=True,
        )  # fmt: skip
        digests = [
            hashlib.sha256(each.read_bytes()).hexdigest() for each in (whole, linked)
        ]
        linked.chmod(0o644)
        linked.replace(path)
    # What the object file was, so that machines without a linker see if it is stale.
    path.with_suffix(".sha256").write_text("\n".join(digests) + "\n")


def linker_command() -> list[str] | None:
    """Return how to call wasm-ld, from the system or from the ziglang wheel."""
    found = shutil.which("wasm-ld") or shutil.which("wasm-ld-14")
    if found:
        return [found]
    if find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "wasm-ld"]
    return None


if __name__ == "__main__":
    build()
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes")
