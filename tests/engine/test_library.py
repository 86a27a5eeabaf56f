"""Object code is loaded wherever a large process still has room."""

import subprocess
import sys

import pytest

# Leaves nothing free near by but a hole of some pages, above 4 GiB that are taken.
CROWDED = """
import ctypes
from initlab.engine import _kernels
from initlab.engine._library import load

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
SPAN = [ctypes.c_void_p, ctypes.c_size_t]
libc.mmap.argtypes = [*SPAN, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = SPAN
PAGE, WIDE = 4096, 4 * 2**30
PRIVATE_ANONYMOUS_NORESERVE = 0x4022

def taken(size):
    return libc.mmap(None, size, 0, PRIVATE_ANONYMOUS_NORESERVE, -1, 0)

target = _kernels.host(None)
_kernels.kernels("float64")
codes = [_kernels._stored(path) for path in _kernels._paths("float64", target)]
for pages in range(1, 48):
    wide = taken(WIDE)
    for size in (2**20, 2**16, PAGE):
        while taken(size) > wide:
            pass
    libc.munmap(wide + WIDE - PAGE * (pages + 1), PAGE * pages)
    for code, names in zip(codes, _kernels._GROUPS):
        found = load(code, {name: () for name in names})
        assert set(found) == set(names)
print("loaded", pages)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mmap's numbers are Linux's")
def test_kernels_load_where_code_and_constants_have_no_room_side_by_side():
    ended = subprocess.run(
        [sys.executable, "-c", CROWDED], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "loaded 47\n"
