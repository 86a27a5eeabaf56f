# style: one class with a method for each initialization; module functions are its bound methods
import numpy as np


class Initializer:
    seed = 3

    def _layers(self, sizes):
        for k in range(1, len(sizes)):
            yield k, sizes[k], sizes[k - 1]

    def zeros(self, layers_dims):
        params = {}
        for k, rows, cols in self._layers(layers_dims):
            params["W" + str(k)] = np.zeros(shape=(rows, cols))
            params["b" + str(k)] = np.zeros(shape=(rows, 1))
        return params

    def scaled(self, layers_dims, scale):
        np.random.seed(self.seed)
        params = self.zeros(layers_dims)
        for k, rows, cols in self._layers(layers_dims):
            params["W" + str(k)] += np.random.randn(rows, cols) * scale(cols)
        return params

    def random(self, layers_dims):
        return self.scaled(layers_dims, lambda cols: 10)

    def he(self, layers_dims):
        return self.scaled(layers_dims, lambda cols: np.sqrt(2 / cols))


_init = Initializer()
initialize_parameters_zeros = _init.zeros
initialize_parameters_random = _init.random
initialize_parameters_he = _init.he
