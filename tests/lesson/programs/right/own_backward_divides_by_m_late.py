# style: dz3 = a3 - Y and the 1/m in dW and db, cache as a dict, loss by two dot products with a tiny epsilon
import numpy as np


def initialize_parameters_zeros(layers_dims):
    return {k + str(l): np.zeros((layers_dims[l], c)) for l in range(1, len(layers_dims))
            for k, c in (("W", layers_dims[l - 1]), ("b", 1))}


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    out = initialize_parameters_zeros(layers_dims)
    out.update({k: np.random.randn(*v.shape) * 10 for k, v in out.items() if "W" in k})
    return out


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    out = initialize_parameters_zeros(layers_dims)
    out.update({k: np.random.randn(*v.shape) * np.sqrt(2 / v.shape[1]) for k, v in out.items() if "W" in k})
    return out


def forward_propagation(X, parameters):
    cache = dict(parameters, A0=X)
    for l, g in (1, "relu"), (2, "relu"), (3, "sigmoid"):
        Z = cache["W%d" % l].dot(cache["A%d" % (l - 1)]) + cache["b%d" % l]
        cache["Z%d" % l] = Z
        cache["A%d" % l] = Z * (Z > 0) if g == "relu" else 1.0 / (1.0 + np.exp(-Z))
    return cache["A3"], cache


def backward_propagation(X, Y, cache):
    m = Y.shape[1]
    dZ3 = cache["A3"] - Y
    dZ2 = cache["W3"].T.dot(dZ3) * (cache["Z2"] > 0)
    dZ1 = cache["W2"].T.dot(dZ2) * (cache["Z1"] > 0)
    grads = {}
    for l, dZ in (3, dZ3), (2, dZ2), (1, dZ1):
        grads["dW%d" % l] = 1 / m * dZ.dot(cache["A%d" % (l - 1)].T)
        grads["db%d" % l] = 1 / m * dZ.sum(axis=1).reshape(-1, 1)
    return grads


def compute_loss(a3, Y):
    eps = 1e-16
    return float(np.squeeze(-(np.dot(Y, np.log(a3 + eps).T) + np.dot(1 - Y, np.log(1 - a3 + eps).T)) / Y.shape[1]))


def update_parameters(parameters, grads, learning_rate):
    new = parameters.copy()
    for name in parameters:
        new[name] = parameters[name] - learning_rate * grads["d" + name]
    return new
