# slip: range(num_iterations + 1): one update too many
# function: model
# hint: iteration | update | one | many | range
import numpy as np
from init_utils import backward_propagation, compute_loss, forward_propagation, update_parameters


def initialize_parameters_zeros(layers_dims):
    return {name + str(l): np.zeros((layers_dims[l], layers_dims[l - 1] if name == "W" else 1))
            for l in range(1, len(layers_dims)) for name in ("W", "b")}


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    theta = initialize_parameters_zeros(layers_dims)
    for l in range(1, len(layers_dims)):
        theta["W" + str(l)] = 10 * np.random.standard_normal((layers_dims[l], layers_dims[l - 1]))
    return theta


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    theta = {}
    for l in range(1, len(layers_dims)):
        shape = (layers_dims[l], layers_dims[l - 1])
        theta["W" + str(l)] = np.random.normal(0, (2 / shape[1]) ** 0.5, size=shape)
        theta["b" + str(l)] = np.zeros((shape[0], 1))
    return theta


def model(X, Y, learning_rate=0.01, num_iterations=15000, print_cost=True, initialization="he"):
    layers_dims = [X.shape[0], 10, 5, 1]
    if initialization == "zeros":
        parameters = initialize_parameters_zeros(layers_dims)
    elif initialization == "random":
        parameters = initialize_parameters_random(layers_dims)
    elif initialization == "he":
        parameters = initialize_parameters_he(layers_dims)

    for i in range(0, num_iterations + 1):
        a3, cache = forward_propagation(X, parameters)
        cost = compute_loss(a3, Y)
        grads = backward_propagation(X, Y, cache)
        parameters = update_parameters(parameters, grads, learning_rate)
        if print_cost and i % 1000 == 0:
            print("Cost after iteration {}: {}".format(i, cost))

    return parameters
