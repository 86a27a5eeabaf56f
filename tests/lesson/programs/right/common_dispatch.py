# style: all three call one function with the name of the method; model() uses match
import numpy as np
from init_utils import forward_propagation, backward_propagation, compute_loss, update_parameters


def initialize_parameters(layers_dims, method):
    rng = np.random.RandomState(3)
    parameters = {}
    for l, (n_prev, n) in enumerate(zip(layers_dims, layers_dims[1:]), 1):
        match method:
            case "zeros":
                W = np.zeros((n, n_prev))
            case "random":
                W = rng.randn(n, n_prev) * 10
            case "he":
                W = rng.randn(n, n_prev) * np.sqrt(2 / n_prev)
            case _:
                raise ValueError(f"unknown initialization {method!r}")
        parameters |= {f"W{l}": W, f"b{l}": np.zeros((n, 1))}
    return parameters


def initialize_parameters_zeros(layers_dims):
    return initialize_parameters(layers_dims, "zeros")


def initialize_parameters_random(layers_dims):
    return initialize_parameters(layers_dims, "random")


def initialize_parameters_he(layers_dims):
    return initialize_parameters(layers_dims, "he")


def model(X, Y, learning_rate=0.01, num_iterations=15000, print_cost=True, initialization="he"):
    parameters = initialize_parameters([X.shape[0], 10, 5, 1], initialization)
    for i in range(num_iterations):
        a3, cache = forward_propagation(X, parameters)
        if print_cost and i % 1000 == 0:
            print(f"Cost after iteration {i}: {compute_loss(a3, Y)}")
        grads = backward_propagation(X, Y, cache)
        parameters = update_parameters(parameters, grads, learning_rate)
    return parameters
