# style: the three names are instances with __call__ and __slots__, inheriting from an abstract class
from abc import ABC, abstractmethod

import numpy as np


class Initialization(ABC):
    __slots__ = ()

    @abstractmethod
    def weight(self, rng, rows, columns):
        ...

    def __call__(self, layers_dims):
        rng = np.random.RandomState(3)
        parameters = {}
        for l in range(1, len(layers_dims)):
            parameters["W" + str(l)] = self.weight(rng, layers_dims[l], layers_dims[l - 1])
            parameters["b" + str(l)] = np.zeros((layers_dims[l], 1))
        return parameters


class Zeros(Initialization):
    def weight(self, rng, rows, columns):
        return np.zeros((rows, columns))


class Random(Initialization):
    def weight(self, rng, rows, columns):
        return rng.normal(0, 10, (rows, columns))


class He(Initialization):
    def weight(self, rng, rows, columns):
        return rng.normal(0, np.sqrt(2 / columns), (rows, columns))


initialize_parameters_zeros = Zeros()
initialize_parameters_random = Random()
initialize_parameters_he = He()
