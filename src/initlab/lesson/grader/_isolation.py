"""What a learner's program may not do, as the kernel enforces it.

Landlock: files are read where Python and its packages are, and written in one
temporary folder. seccomp: no sockets, no new processes or programs, no signals to
others, no change of owners, modes and limits. Limits: memory,
processor time, file size.

References:
    landlock(7), seccomp(2), and the Linux headers linux/landlock.h, linux/filter.h.
"""

import contextlib
import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
# Access rights by bit: execute 0, write 1, read 2, read folders 3, ... ; each version
# of the interface knows more of them.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_READ = 1 << 0 | 1 << 2 | 1 << 3
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_TCP = 0b11  # bind and connect, from version 4 on


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split())


# By processor: its id, the numbers of the calls that are refused, and clone's.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        _numbers(
            "41 42 43 49 50 53 57 58 59 62 90 91 92 93 94 101 132 160 165 166 188 189 "
            "190 200 234 235 248 250 260 261 268 272 280 288 298 302 308 310 311 321 "
            "322 424 425 428 434 438 452"
        ),
        56,
    ),
    "aarch64": (
        0xC00000B7,
        _numbers(
            "5 6 7 39 40 52 53 54 55 88 97 117 129 130 131 164 198 199 200 201 202 203 "
            "217 219 221 241 242 261 268 270 271 280 281 424 425 428 434 438 452"
        ),
        220,
    ),
}
_CLONE3 = 435  # on both; its flags lie in memory, where no filter can look
_CLONE_THREAD = 0x00010000
_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000


def limit(*, memory: int, seconds: int) -> None:
    """Limit this process: bytes of memory, seconds of processor time, files."""
    import resource

    for name, value in (
        ("RLIMIT_AS", memory),
        ("RLIMIT_CPU", seconds),
        ("RLIMIT_FSIZE", 16 * 2**20),
        ("RLIMIT_NOFILE", 256),
        ("RLIMIT_CORE", 0),
    ):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def isolate(*, readable: Iterable[Path], writable: Path) -> list[str]:
    """Cut this process off, and return what the kernel took on.

    Returns:
        `"landlock"` and `"seccomp"`, as far as this system has them.
    """
    if sys.platform != "linux":
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return []
    done = []
    if _landlock(libc, readable, writable):
        done.append("landlock")
    if _seccomp(libc):
        done.append("seccomp")
    return done


def _landlock(libc: ctypes.CDLL, readable: Iterable[Path], writable: Path) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    handled = (1 << _RIGHTS.get(version, max(_RIGHTS.values()))) - 1
    # Version 6 adds scopes: no signals and no abstract sockets to the outside.
    attributes = struct.pack(
        "QQQ", handled, _TCP if version >= 4 else 0, 0b11 if version >= 6 else 0
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ & handled)
        _allow(libc, ruleset, writable, handled)
        _allow(libc, ruleset, Path(os.devnull), (_READ | 1 << 1) & handled)
        return libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        if not path.is_dir():
            rights &= _OF_FILES
        libc.syscall(
            _ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0
        )
    finally:
        os.close(place)


def _seccomp(libc: ctypes.CDLL) -> bool:
    known = _REFUSED.get(platform.machine())
    if known is None:
        return False
    instructions = _filter(*known)
    code = ctypes.create_string_buffer(b"".join(instructions))
    program = struct.pack(
        "HxxxxxxQ", len(instructions), ctypes.addressof(code)
    )  # struct sock_fprog, padded as on every 64-bit system
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, program, 0, 0) == 0)


def _filter(architecture: int, refused: Sequence[int], clone: int) -> list[bytes]:
    """Return the filter: another architecture dies, refused calls fail, others pass."""
    load, equal, above, has, answer = 0x20, 0x15, 0x35, 0x45, 0x06

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", code, then, otherwise, value)

    program = [
        step(load, 4),  # the architecture
        step(equal, architecture, 1, 0),
        step(answer, _KILL),
        step(load, 0),  # the call's number
        step(above, 0x40000000, 0, 1),  # x32, a second way to every call
        step(answer, _KILL),
        step(equal, _CLONE3, 0, 1),
        step(answer, _ERRNO | _ENOSYS),  # the C library then uses clone
        step(equal, clone, 0, 4),
        step(load, 16),  # clone's flags
        step(has, _CLONE_THREAD, 0, 1),
        step(answer, _ALLOW),
        step(answer, _ERRNO | _EPERM),
    ]
    for number in refused:
        program += [step(equal, number, 0, 1), step(answer, _ERRNO | _EPERM)]
    return [*program, step(answer, _ALLOW)]
