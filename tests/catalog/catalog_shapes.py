"""Shapes that an entry can draw, near to the one that a test asks for."""

from initlab.catalog import CATALOG


def legal(name, shape):
    """The shape itself, with a kernel for convolutions, grown where it must not shrink.

    >>> legal("delta_orthogonal", (2, 4))
    (4, 2, 3)
    """
    if "conv" in CATALOG[name].needs and len(shape) == 2:
        shape = (*shape, 3)
    if name == "delta_orthogonal":
        first, second, *kernel = shape
        shape = (max(first, second), min(first, second), *kernel)
    return shape
