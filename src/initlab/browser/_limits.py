"""What the page has: one table for Python and, by `page/shared.py`, for the page."""

from collections.abc import Mapping
from types import MappingProxyType

# Each init with the parameters that the page's draws know.
INITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "zeros": (),
        "constant": ("value",),
        "normal": ("std",),
        "uniform": ("low", "high"),
        "lecun_normal": (),
        "lecun_uniform": (),
        "lesson_xavier": (),
        "glorot_normal": (),
        "glorot_uniform": (),
        "he_normal": (),
        "he_uniform": (),
        "orthogonal": ("gain",),
        "torch_default": (),
    }
)
# Outputs of each problem: one for two classes, else one per class.
OUTPUTS: Mapping[str, int] = MappingProxyType(
    {"circles": 1, "moons": 1, "spirals": 1, "xor": 1, "blobs": 3}
)
# Least and most of every number; `inits` and `layers` are counts.
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "inits": (1, 6),
        "members": (1, 256),
        "noise": (0, 2),
        "examples": (6, 2000),
        "points": (0, 2000),
        "layers": (0, 30),
        "units": (1, 100),
        "learning_rate": (1e-5, 10),
        "steps": (1, 200_000),
        "seed": (0, 2**31),
    }
)
