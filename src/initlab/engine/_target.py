"""What kernels are compiled for: vector width, precision, processor."""

import platform
from dataclasses import dataclass
from functools import cache

import llvmlite.binding as llvm

BITS = (512, 256, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A processor and the vectors that kernels use on it.

    Attributes:
        triple: LLVM's name of the platform; empty: this machine's.
        processor, features: LLVM's names of what instructions there are.
        bits: Width of a vector register: 512, 256 or 128.
        fused: Whether a multiply-add is one instruction.
    """

    triple: str
    processor: str
    features: str
    bits: int
    fused: bool

    def lanes(self, precision: str) -> int:
        """Return the networks that are trained side by side."""
        return self.bits // {"float64": 64, "float32": 32}[precision]


@cache
def host(bits: int | None = None) -> Target:
    """Return this machine, with its widest vectors or narrower ones.

    Args:
        bits: Width to use instead of the processor's own. Wider than its own is slow
            and right: LLVM splits such vectors.
    """
    found = llvm.get_host_cpu_features()
    arm = platform.machine().lower() in ("arm64", "aarch64")
    widest = 512 if found.get("avx512f") else 256 if found.get("avx2") else 128
    return Target(
        triple="",
        processor=llvm.get_host_cpu_name(),
        features=found.flatten(),
        bits=bits or widest,
        fused=arm or bool(found.get("fma")),
    )


# What browsers have had since 2021: 128-bit vectors without a fused multiply-add.
WEBASSEMBLY = Target(
    triple="wasm32-unknown-unknown",
    processor="generic",
    features="+simd128,+bulk-memory,+nontrapping-fptoint",
    bits=128,
    fused=False,
)
