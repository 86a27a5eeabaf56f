# style: a frozen dataclass as configuration, annotations from __future__
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Config:
    gain: float
    power: float = 0.0
    seed: int | None = 3

    def std(self, fan_in: int) -> float:
        return np.sqrt(self.gain / fan_in) if self.power else self.gain

    def __call__(self, layers_dims: list[int]) -> dict[str, np.ndarray]:
        rng = np.random.RandomState(self.seed)
        result: dict[str, np.ndarray] = {}
        for l, (n_in, n_out) in enumerate(zip(layers_dims, layers_dims[1:]), 1):
            weights = rng.randn(n_out, n_in) * self.std(n_in)
            result[f"W{l}"] = weights if self.gain else np.zeros_like(weights)
            result[f"b{l}"] = np.zeros((n_out, 1))
        return result


def initialize_parameters_zeros(layers_dims):
    return Config(gain=0.0)(layers_dims)


def initialize_parameters_random(layers_dims):
    return Config(gain=10.0)(layers_dims)


def initialize_parameters_he(layers_dims):
    return Config(gain=2.0, power=0.5)(layers_dims)
