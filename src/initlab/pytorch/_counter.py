"""Draws that can be taken up anywhere in a tensor: a shard draws its own part.

Specification, so that a second implementation can draw the same numbers. Entry i of a
tensor, counted in C order over the whole of it, has the word i of the Philox stream of
`initlab.rng.stream(seed, "initialize", name)`, and takes no other:

* uniform in (0, 1): the word's upper 53 bits plus one half, times 2^-53;
* normal: the inverse of the normal distribution function at that.
"""

import math

import numpy as np
from jaxtyping import Float64
from scipy import special

from initlab.rng import stream

Standardized = Float64[np.ndarray, " entry"]

# Words that one value of Philox's counter gives.
_WORDS = 4


def uniforms(seed: int, name: str, start: int, count: int) -> Standardized:
    """Numbers in (0, 1) of entries `start` to `start + count` of a tensor.

    Args:
        seed: The root seed.
        name: Of the tensor.
        start: First entry, in C order over the whole tensor.
        count: How many.

    Example:
        >>> whole = uniforms(0, "0.weight", 0, 10)
        >>> bool((uniforms(0, "0.weight", 7, 3) == whole[7:]).all())
        True
    """
    bits = stream(seed, "initialize", name).bit_generator
    assert isinstance(bits, np.random.Philox)
    bits.advance(start // _WORDS)
    skipped = start % _WORDS
    words = bits.random_raw(skipped + count)[skipped:]
    # In place, as embeddings have 1e8 entries.
    values: Standardized = (words >> np.uint64(11)).astype(np.float64)
    values += 0.5
    values *= 2.0**-53
    return values


def standardized(
    distribution: str,
    seed: int,
    name: str,
    start: int,
    count: int,
    *,
    bound: float = 2.0,
) -> Standardized:
    """Entries of mean 0 and variance 1, of a distribution.

    Args:
        distribution: `"normal"`, `"uniform"`, or `"truncated_normal"`.
        seed: The root seed.
        name: Of the tensor.
        start: First entry, in C order over the whole tensor.
        count: How many.
        bound: Of the truncated normal, in deviations before the cut.

    Example:
        >>> round(float(standardized("normal", 0, "0.weight", 0, 100_000).std()), 2)
        1.0
    """
    values = uniforms(seed, name, start, count)
    if distribution == "uniform":
        return math.sqrt(3) * (2 * values - 1)
    if distribution == "normal":
        return np.asarray(special.ndtri(values))
    assert distribution == "truncated_normal"
    tail = float(special.ndtr(-bound))
    kept = np.asarray(special.ndtri(tail + (1 - 2 * tail) * values))
    density = math.exp(-bound * bound / 2) / math.sqrt(2 * math.pi)
    return kept / math.sqrt(1 - 2 * bound * density / (1 - 2 * tail))
