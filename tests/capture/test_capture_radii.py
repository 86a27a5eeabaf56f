"""Spectral radii by powers, against eigenvalues."""

import math

import pytest
import torch

from initlab.capture._radii import spectral_radius

PARTS = 3


def squares(kind: str, width: int) -> torch.Tensor:
    noise = torch.randn(
        PARTS, width, width, generator=torch.Generator().manual_seed(1)
    ) / math.sqrt(width)
    by_kind = {
        "normal": noise,
        "positive": noise.abs(),
        "near identity": torch.eye(width) * 2 + 0.1 * noise,
        "orthogonal": torch.linalg.qr(noise)[0],
        "triangular": noise.triu(),
        "one loud part": noise * torch.tensor([1.0, 30.0, 0.0])[:, None, None],
    }
    return by_kind[kind]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("width", [1, 2, 7, 64, 256])
@pytest.mark.parametrize(
    "kind",
    [
        "normal", "positive", "near identity", "orthogonal", "triangular",
        "one loud part",
    ],
)  # fmt: skip
def test_a_radius_is_that_of_the_eigenvalues(kind, width, scale):
    parts = squares(kind, width)
    exact = float(torch.linalg.eigvals(parts.double()).abs().max())
    found = spectral_radius((parts * scale).flatten(0, 1), PARTS)
    assert found == pytest.approx(exact * scale, rel=0.01)


@pytest.mark.parametrize("kind", ["normal", "positive", "near identity", "orthogonal"])
def test_a_wide_weight_has_its_radius_from_vectors(kind):
    parts = squares(kind, 300)
    exact = float(torch.linalg.eigvals(parts).abs().max())
    found = spectral_radius(parts.flatten(0, 1), PARTS)
    assert found == pytest.approx(exact, rel=0.08)


@pytest.mark.parametrize("width", [1, 5, 300])
def test_zeros_have_a_radius_of_zero(width):
    assert spectral_radius(torch.zeros(2 * width, width), 2) == 0


def test_what_a_power_ends_has_a_radius_of_zero():
    delay = torch.diag(torch.ones(5), 1)
    assert spectral_radius(delay, 1) == 0


def test_only_squares_of_numbers_have_a_radius():
    assert math.isnan(spectral_radius(torch.ones(6, 4), 1))
    assert math.isnan(spectral_radius(torch.full((4, 4), math.nan), 1))
