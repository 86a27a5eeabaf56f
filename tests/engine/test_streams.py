"""Random streams: specified, independent of everything but their path."""

import hashlib

import numpy as np

from initlab.rng import stream

GOLDEN = [-1.0147773000788471, -2.4175350204761403, 1.3266031492633594]


def test_a_stream_is_philox_keyed_by_the_hash_of_its_path():
    digest = hashlib.sha256(b'[3,"weights",0,"W1"]').digest()
    key = np.frombuffer(digest[:16], "<u8")

    expected = np.random.Generator(np.random.Philox(key=key)).standard_normal(5)

    np.testing.assert_array_equal(
        stream(3, "weights", 0, "W1").standard_normal(5), expected
    )


def test_numbers_are_the_published_ones():
    # Golden: a change of NumPy's generator or ziggurat would show here first.
    drawn = stream(3, "weights", 0, "W1").standard_normal(3)

    np.testing.assert_allclose(drawn, GOLDEN, rtol=1e-15)


def test_every_part_of_the_path_matters():
    paths = [(3, "a", 0), (3, "a", 1), (4, "a", 0), (3, "a", "0"), (3, "a0")]

    firsts = {stream(*path).integers(2**62) for path in paths}

    assert len(firsts) == len(paths)


def test_the_global_stream_is_untouched():
    before = np.random.get_state()[1].copy()

    stream(0, "x").standard_normal(10)

    np.testing.assert_array_equal(np.random.get_state()[1], before)
