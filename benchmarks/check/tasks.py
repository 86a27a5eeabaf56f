"""What the models learn: small tasks that are drawn, each the same for every seed.

A seed draws other examples of the same task, so that training can be compared.
"""

import math

import torch
from torch import Tensor

from check.subject import Batch

CLASSES = 10
VOCABULARY = 64


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _labels(seed: int, size: int) -> Tensor:
    """Labels of a batch, every class about as often."""
    generator = _generator(7919 + seed)
    return torch.arange(size)[torch.randperm(size, generator=generator)] % CLASSES


def vectors(seed: int, size: int, features: int = 32) -> Batch:
    """A noisy prototype of each class."""
    prototypes = torch.randn(CLASSES, features, generator=_generator(1))
    labels = _labels(seed, size)
    noise = torch.randn(size, features, generator=_generator(2 + seed))
    inputs = (prototypes[labels] + noise) / math.sqrt(2)
    return Batch(inputs=(inputs,), targets=labels)


def images(seed: int, size: int, side: int = 16) -> Batch:
    """A smooth prototype of each class, with noise."""
    coarse = torch.randn(CLASSES, 3, 4, 4, generator=_generator(3))
    prototypes = torch.nn.functional.interpolate(coarse, size=side, mode="bilinear")
    prototypes = prototypes / prototypes.std()
    labels = _labels(seed, size)
    noise = torch.randn(size, 3, side, side, generator=_generator(4 + seed))
    inputs = (prototypes[labels] + noise) / math.sqrt(2)
    return Batch(inputs=(inputs,), targets=labels)


def wide_images(seed: int, size: int) -> Batch:
    """`images` of 32 x 32."""
    return images(seed, size, side=32)


def pictures(seed: int, size: int) -> Batch:
    """Images to be given back."""
    inputs = images(seed, size).inputs
    return Batch(inputs=inputs, targets=inputs[0])


def flat_pictures(seed: int, size: int) -> Batch:
    """Vectors to be given back."""
    inputs = vectors(seed, size, features=64).inputs
    return Batch(inputs=inputs, targets=inputs[0])


def maps(seed: int, size: int) -> Batch:
    """Images, and for every pixel which of three channels is the largest."""
    inputs = images(seed, size).inputs
    smooth = torch.nn.functional.avg_pool2d(inputs[0], 3, stride=1, padding=1)
    return Batch(inputs=inputs, targets=smooth.argmax(dim=1))


def noised(seed: int, size: int) -> Batch:
    """Images under noise at a time in [0, 1], and the noise."""
    clean = images(seed, size).inputs[0]
    generator = _generator(5 + seed)
    noise = torch.randn(clean.shape, generator=generator)
    time = torch.rand(size, generator=generator)
    angle = (time * math.pi / 2)[:, None, None, None]
    return Batch(
        inputs=(clean * angle.cos() + noise * angle.sin(), time), targets=noise
    )


def coordinates(seed: int, size: int) -> Batch:
    """Points of the square [-1, 1]^2, and three waves there."""
    points = torch.rand(size, 2, generator=_generator(6 + seed)) * 2 - 1
    waves = torch.randn(2, 3, generator=_generator(7)) * 6
    return Batch(inputs=(points,), targets=torch.sin(points @ waves))


def values(seed: int, size: int, mean: float = 0.0) -> Batch:
    """Vectors, and a smooth function of them with that mean."""
    inputs = vectors(seed, size).inputs[0]
    direction = torch.randn(32, 1, generator=_generator(8)) / math.sqrt(32)
    return Batch(inputs=(inputs,), targets=torch.tanh(inputs @ direction) + mean)


def text(seed: int, size: int, length: int = 24) -> Batch:
    """Token ids and the next ones: a fixed permutation, one time in five at random."""
    generator = _generator(9 + seed)
    following = torch.randperm(VOCABULARY, generator=_generator(10))
    tokens = torch.empty(size, length + 1, dtype=torch.long)
    tokens[:, 0] = torch.randint(VOCABULARY, (size,), generator=generator)
    for place in range(length):
        drawn = torch.randint(VOCABULARY, (size,), generator=generator)
        kept = torch.rand(size, generator=generator) < 0.8
        tokens[:, place + 1] = torch.where(kept, following[tokens[:, place]], drawn)
    return Batch(inputs=(tokens[:, :-1],), targets=tokens[:, 1:])


def series(seed: int, size: int, length: int = 24) -> Batch:
    """Sequences of vectors whose class shows in the first third."""
    inputs, labels = vectors(seed, size, features=16).inputs[0], _labels(seed, size)
    noise = torch.randn(size, length, 16, generator=_generator(11 + seed))
    noise[:, : length // 3] += inputs[:, None]
    return Batch(inputs=(noise / math.sqrt(2),), targets=labels)


def bags(seed: int, size: int, length: int = 12) -> Batch:
    """Bags of token ids; most of a bag's ids belong to its class."""
    generator, labels = _generator(12 + seed), _labels(seed, size)
    tokens = torch.randint(VOCABULARY, (size, length), generator=generator)
    own = torch.rand(size, length, generator=generator) < 0.5
    return Batch(
        inputs=(
            torch.where(own, tokens // CLASSES * CLASSES + labels[:, None], tokens)
            % VOCABULARY,
        ),
        targets=labels,
    )


def of_tokens(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of `(example, place, token)` logits."""
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
