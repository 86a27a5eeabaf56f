"""The only seeding: one root seed, and a stream of its own for every tensor.

Specification, so that a second implementation can draw the same numbers:

* path: the JSON text of `[root_seed, *path]`, no spaces, ASCII escapes;
* key: the first 16 bytes of SHA-256 of that text, as two little-endian 64-bit words;
* bits: Philox4x64-10 (Salmon et al. 2011) with that key, counter 0, as NumPy steps it;
* normals: NumPy's ziggurat of 256 layers (Marsaglia & Tsang 2000); uniforms: the upper
  53 bits of a word times 2^-53.
"""

import hashlib
import json

import numpy as np


def stream(root_seed: int, *path: str | int) -> np.random.Generator:
    """Return the generator that belongs to this path, and to no other.

    Adding a layer, a member or a thread changes no number of any other path.

    Args:
        root_seed: The study's seed.
        *path: What is drawn, from the general to the particular.

    Example:
        >>> int(stream(3, "weights", 0, "W1").integers(1000))
        817
    """
    text = json.dumps([root_seed, *path], separators=(",", ":"))
    key = np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key.astype(np.uint64)))
