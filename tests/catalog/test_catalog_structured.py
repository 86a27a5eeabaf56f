"""Weights with a structure: what each promises, and the line with which it refuses."""

import math

import numpy as np
import pytest
import scipy.linalg

from initlab import catalog
from initlab.errors import InvalidValueError
from initlab.spec import LayerSpec


def rng(seed=50):
    return np.random.default_rng(seed)


def conv(*shape, **choices):
    return LayerSpec(kind="conv", shape=shape, **choices)


def test_dirac_passes_every_channel_of_every_group():
    weight = catalog.dirac(conv(6, 2, 3, 5, groups=3), rng=rng())

    # Output 2 g + d of group g reads its input d, as torch.nn.init.dirac_(groups=3).
    assert weight[:, :, 1, 2].tolist() == [[1, 0], [0, 1]] * 3
    assert weight.sum() == 6


def test_a_transposed_dirac_passes_channels_too():
    weight = catalog.dirac(conv(4, 3, 3, groups=2, transposed=True), rng=rng())

    assert weight[:, :, 1].tolist() == [[1, 0, 0], [0, 1, 0]] * 2


@pytest.mark.parametrize("kernel", [(3,), (3, 5), (3, 1, 3)])
def test_dirac_has_one_to_three_dimensions(kernel):
    assert catalog.dirac((2, 2, *kernel), rng=rng()).sum() == 2


@pytest.mark.parametrize(
    ("init", "shape", "message"),
    [
        (
            "dirac",
            (10, 2),
            "dirac: needs a convolution's shape, (out, in, *kernel) with one to three "
            "kernel axes, got (10, 2); for a linear layer take identity",
        ),
        (
            "delta_orthogonal",
            (2, 2, 3, 3, 3, 3),
            "delta_orthogonal: needs a convolution's shape, (out, in, *kernel) with "
            "one to three kernel axes, got (2, 2, 3, 3, 3, 3); for a linear layer take "
            "orthogonal",
        ),
        (
            "delta_orthogonal",
            (2, 10, 3),
            "delta_orthogonal: needs as many output channels as input channels or "
            "more, got 2 of 10; take orthogonal",
        ),
        (
            "looks_linear",
            conv(4, 2, 3, groups=2),
            "looks_linear: needs a layer without groups or packed matrices, got "
            "groups=2 and packed=1; take orthogonal",
        ),
        (
            "orthogonal",
            conv(12, 2, 3, groups=6, packed=4),
            "packed, groups: their product must divide the first axis of shape "
            "(12, 2, 3), got 4 * 6",
        ),
    ],
)
def test_a_layer_that_does_not_fit_is_refused_in_one_line(init, shape, message):
    for call in (catalog.draw, lambda name, given, rng: catalog.get(name).std(given)):  # noqa: ARG005 -- one signature
        with pytest.raises(InvalidValueError) as caught:
            call(init, shape, rng=rng())

        assert str(caught.value) == message


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("kernel", [(3,), (3, 5), (3, 3, 1)])
def test_delta_orthogonal_keeps_the_norm_of_inputs(kernel, transposed):
    shape = (4, 6, *kernel) if transposed else (6, 4, *kernel)
    layer = conv(*shape, transposed=transposed)

    weight = catalog.delta_orthogonal(layer, rng=rng(), gain=2.0)

    centre = weight[(..., *(size // 2 for size in kernel))]
    matrix = centre.T if transposed else centre
    np.testing.assert_allclose(matrix.T @ matrix, 4 * np.eye(4), atol=1e-12)
    assert np.count_nonzero(weight) == 24


def test_delta_orthogonal_is_orthogonal_in_every_group():
    weight = catalog.delta_orthogonal(conv(8, 2, 3, groups=2), rng=rng())

    for block in weight[:, :, 1].reshape(2, 4, 2):
        np.testing.assert_allclose(block.T @ block, np.eye(2), atol=1e-12)


def test_delta_orthogonals_root_mean_square_is_the_law_exactly():
    weight = catalog.delta_orthogonal((8, 5, 3, 3), rng=rng(), gain=3.0)

    law = catalog.get("delta_orthogonal").std((8, 5, 3, 3), gain=3.0)
    assert np.sqrt(np.mean(weight**2)) == pytest.approx(law, rel=1e-12)


@pytest.mark.parametrize(("out", "size"), [(8, 3), (12, 5), (7, 4), (2, 1), (33, 32)])
def test_zero_hadamard_is_the_corner_of_a_hadamard_matrix_where_it_grows(out, size):
    power = 2 ** math.ceil(math.log2(out))
    expected = scipy.linalg.hadamard(power)[:out, :size] / math.sqrt(power)

    actual = catalog.zero_hadamard((out, size), rng=rng())

    np.testing.assert_array_equal(actual, expected)
    assert np.linalg.matrix_rank(actual) == size


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (1, 2)])
def test_zero_hadamard_is_a_partial_identity_otherwise(shape):
    actual = catalog.zero_hadamard(shape, rng=rng())

    assert actual.tolist() == np.eye(*shape).tolist()


def test_zero_hadamard_is_an_isometry_only_at_powers_of_two():
    isometry = catalog.zero_hadamard((16, 5), rng=rng())
    corner = catalog.zero_hadamard((12, 5), rng=rng())

    np.testing.assert_allclose(isometry.T @ isometry, np.eye(5), atol=1e-15)
    assert abs(corner.T @ corner - np.eye(5)).max() >= 0.25


def test_zero_hadamard_sits_at_the_centre_of_a_kernel_of_every_group():
    weight = catalog.zero_hadamard(conv(8, 2, 3, groups=2), rng=rng())

    block = catalog.zero_hadamard((4, 2), rng=rng())
    assert weight[:, :, 1].tolist() == block.tolist() * 2
    assert np.count_nonzero(weight) == 16


def test_sinusoidal_has_rank_127_of_256():
    weight = catalog.sinusoidal((256, 256), rng=rng())

    assert np.linalg.matrix_rank(weight) == 127
    assert (~weight.any(axis=1)).nonzero()[0].tolist() == [127, 255]


def test_sinusoidal_is_the_papers_wave():
    weight = catalog.sinusoidal((3, 5), rng=rng())

    wave = np.array(
        [
            [math.sin(2 * math.pi * i * (j / 5 + 1 / 3)) for j in range(5)]
            for i in range(1, 4)
        ]
    )
    np.testing.assert_allclose(
        weight, wave * (math.sqrt(2 / 8) / wave.std()), atol=1e-15
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_sinusoidal_is_zero_where_its_waves_vanish(shape):
    assert not catalog.sinusoidal(shape, rng=rng()).any()
    assert catalog.get("sinusoidal").std(shape) == 0


def test_sinusoidal_gives_every_packed_matrix_its_own_waves():
    weight = catalog.sinusoidal(LayerSpec(shape=(12, 7), packed=3), rng=rng())

    one = catalog.sinusoidal((4, 7), rng=rng())
    assert weight.tolist() == one.tolist() * 3


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.55, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(10, 40), (7, 4, 3, 3), (1, 5)])
def test_sparse_has_the_same_number_of_zeros_in_every_column(shape, sparsity):
    weight = catalog.sparse(shape, rng=rng(), sparsity=sparsity)

    zeros = (weight == 0).sum(axis=0)
    assert np.unique(zeros).tolist() == [math.ceil(sparsity * shape[0])]


def test_sparse_zeros_fall_anywhere_alike():
    weight = catalog.sparse((5, 40_000), rng=rng(), sparsity=0.4)

    # Five standard errors of a share of 0.4 among 40,000 columns.
    share = (weight == 0).mean(axis=1)
    assert abs(share - 0.4).max() < 5 * math.sqrt(0.4 * 0.6 / 40_000)


def test_a_sparsity_above_one_is_refused():
    with pytest.raises(InvalidValueError) as caught:
        catalog.sparse((3, 2), rng=rng(), sparsity=1.5)

    assert str(caught.value) == (
        "sparsity: give a finite number at least 0 and at most 1, got 1.5"
    )


def test_orthogonal_makes_every_gate_and_group_orthogonal():
    gates = catalog.orthogonal(LayerSpec(shape=(20, 5), packed=4), rng=rng())
    groups = catalog.orthogonal(conv(8, 2, 3, groups=2), rng=rng())
    whole = catalog.orthogonal(
        LayerSpec(shape=(20, 5), packed=4), rng=rng(), dialect="torch"
    )

    for block in [*gates.reshape(4, 5, 5), *groups.reshape(2, 4, 6)]:
        np.testing.assert_allclose(block @ block.T, np.eye(len(block)), atol=1e-12)
    np.testing.assert_allclose(whole.T @ whole, np.eye(5), atol=1e-12)
    law = catalog.get("orthogonal").std(LayerSpec(shape=(20, 5), packed=4))
    assert np.sqrt(np.mean(gates**2)) == pytest.approx(law, rel=1e-12)


def test_mirrored_blocks_cancel():
    weight = catalog.looks_linear((6, 4, 3), rng=rng(), gain=2.0)

    q = weight[:3, :2]
    np.testing.assert_array_equal(weight[3:], -weight[:3])
    np.testing.assert_array_equal(weight[:, 2:], -weight[:, :2])
    flat = q.reshape(3, -1)
    np.testing.assert_allclose(flat @ flat.T, 4 * np.eye(3), atol=1e-12)


def test_a_transposed_first_layer_has_its_inputs_first():
    weight = catalog.looks_linear(conv(5, 4, 3, transposed=True), rng=rng(), first=True)

    np.testing.assert_array_equal(weight[:, 2:], -weight[:, :2])


def test_siren_pre_activations_are_about_standard_normal():
    weight = catalog.siren((400, 300), rng=rng(), omega=30.0)
    inputs = np.sin(rng(51).standard_normal((300, 500)) * math.pi)

    # Inputs sin of a wide normal have the arcsine law's variance, 1/2.
    spread = (30 * weight @ inputs).std()
    assert spread == pytest.approx(1, abs=0.02)
