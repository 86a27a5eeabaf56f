"""Object code as functions of this process."""

import ctypes
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import llvmlite.binding as llvm
import numpy as np

# Numba's calling convention: places for a result and an exception; kernels have none.
_NOTHING = (ctypes.c_void_p * 8)()
# The code's names are its library's own; libraries need names that differ.
_numbers = itertools.count()


def load(
    code: bytes, functions: Mapping[str, tuple[Any, ...]]
) -> dict[str, Callable[..., None]]:
    """Return the functions of an object file; each releases the interpreter's lock.

    Args:
        code: An object file for this machine.
        functions: By name, the `ctypes` of the arguments. Arrays are handed in as they
            are where a function wants a pointer.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # JITLink lays an object out in one piece. LLVM's older linker puts constants where
    # there is room, and aborts a process in which that is 2 GiB from the code.
    compiler = llvm.create_lljit_compiler(use_jit_link=True)
    builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name in functions:
        builder = builder.export_symbol(name)
    library = builder.link(compiler, f"initlab {next(_numbers)}")
    return {
        name: _function(library[name], arguments, (compiler, library))
        for name, arguments in functions.items()
    }


def _function(
    address: int, arguments: tuple[Any, ...], owners: tuple[Any, ...]
) -> Callable[..., None]:
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *arguments)
    function = kind(address)

    def call(*given: np.ndarray | float | int) -> None:
        # Held by `given`, arrays live as long as the function reads them.
        places = (
            each.ctypes.data if isinstance(each, np.ndarray) else each for each in given
        )
        function(_NOTHING, _NOTHING, *places)

    call.owners = owners  # type: ignore[attr-defined]  # the code lives with them
    return call
