# style: a factory with nested functions and closures builds the three
import numpy as np


def _make(kind):
    def scale(n_prev):
        return {"zeros": 0.0, "random": 10.0, "he": np.sqrt(2 / n_prev)}[kind]

    def weights(n, n_prev):
        if kind == "zeros":
            return np.zeros((n, n_prev))
        return np.random.randn(n, n_prev) * scale(n_prev)

    def initialize(layers_dims):
        """Return W1, b1, ..., WL, bL."""
        parameters = {}

        def add(l):
            parameters["W" + str(l)] = weights(layers_dims[l], layers_dims[l - 1])
            parameters["b" + str(l)] = np.zeros((layers_dims[l], 1))

        if kind != "zeros":
            np.random.seed(3)
        for l in range(1, len(layers_dims)):
            add(l)
        return parameters

    return initialize


initialize_parameters_zeros = _make("zeros")
initialize_parameters_random = _make("random")
initialize_parameters_he = _make("he")
