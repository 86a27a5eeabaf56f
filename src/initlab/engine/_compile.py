"""Kernels in Python to object code, for this machine or another.

Numba types a kernel and writes LLVM code; LLVM makes an object file of it. A kernel is
then one C function that takes memory and sizes, and needs no Python, no Numba and no
library to run. This file is imported only when no object file is in the cache.
"""

import re
from collections.abc import Mapping
from typing import Any

import llvmlite.binding as llvm

from initlab.engine._target import Target

# A kernel, and the Numba types of its arguments.
Signature = tuple[Any, tuple[Any, ...]]


def object_code(kernels: Mapping[str, Signature], to: Target) -> bytes:
    """Return an object file with these kernels, under these names."""
    module = None
    for name, (function, arguments) in kernels.items():
        part = llvm.parse_assembly(_llvm_code(name, function, arguments, to))
        if module is None:
            module = part
        else:
            module.link_in(part)
    assert module is not None
    for function in module.functions:
        if not function.is_declaration and function.name not in kernels:
            function.linkage = llvm.Linkage.internal
    for variable in module.global_variables:
        variable.linkage = llvm.Linkage.internal
    machine = _machine(to)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    # The lanes are the vectors, and layers are short: unrolled loops mostly run their
    # remainders (measured: 10-20 % slower).
    options.slp_vectorization = options.loop_vectorization = False
    options.loop_interleaving = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_object(module)


def _llvm_code(name: str, function: Any, arguments: Any, to: Target) -> str:
    function.compile(arguments)
    overload = function.overloads[arguments]
    mangled = overload.fndesc.llvm_func_name
    text = overload.library.get_llvm_str()
    text = text.replace(f'@"{mangled}"', f"@{name}").replace(
        f"@{mangled}(", f"@{name}("
    )
    return _for_target(text, to)


def _for_target(text: str, to: Target) -> str:
    """Return LLVM code without what Numba wrote for this machine, if it is another."""
    if not to.triple:
        return text
    layout = _machine(to).target_data
    text = re.sub(r"(?m)^target triple.*$", f'target triple = "{to.triple}"', text)
    text = re.sub(r"(?m)^target datalayout.*$", f'target datalayout = "{layout}"', text)
    text = re.sub(r'"(target-cpu|target-features|tune-cpu)"="[^"]*"', "", text)
    return text.replace("= common ", "= internal ")  # it has no common symbols


def _machine(to: Target) -> Any:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    triple = to.triple or llvm.get_process_triple()
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=to.processor, features=to.features, opt=3, reloc="pic", codemodel="small"
    )
