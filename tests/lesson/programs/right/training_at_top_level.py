# style: trains all three at the top level, 15000 iterations each, and plots the boundaries
import numpy as np
import matplotlib.pyplot as plt
from init_utils import *


def initialize_parameters_zeros(layers_dims):
    return {s + str(l): np.zeros((layers_dims[l], layers_dims[l - 1] if s == "W" else 1))
            for l in range(1, len(layers_dims)) for s in "Wb"}


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    return {s + str(l): np.random.randn(layers_dims[l], layers_dims[l - 1]) * 10 if s == "W"
            else np.zeros((layers_dims[l], 1)) for l in range(1, len(layers_dims)) for s in "Wb"}


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    return {s + str(l): np.random.randn(layers_dims[l], layers_dims[l - 1]) * np.sqrt(2 / layers_dims[l - 1])
            if s == "W" else np.zeros((layers_dims[l], 1)) for l in range(1, len(layers_dims)) for s in "Wb"}


def model(X, Y, learning_rate=0.01, num_iterations=15000, print_cost=True, initialization="he"):
    costs = []
    init = {"zeros": initialize_parameters_zeros, "random": initialize_parameters_random,
            "he": initialize_parameters_he}[initialization]
    parameters = init([X.shape[0], 10, 5, 1])
    for i in range(num_iterations):
        a3, cache = forward_propagation(X, parameters)
        parameters = update_parameters(parameters, backward_propagation(X, Y, cache), learning_rate)
        if i % 1000 == 0:
            costs.append(compute_loss(a3, Y))
            if print_cost:
                print("Cost after iteration {}: {}".format(i, costs[-1]))
    plt.plot(costs)
    plt.show()
    return parameters


train_X, train_Y, test_X, test_Y = load_dataset()
for name in ("zeros", "random", "he"):
    parameters = model(train_X, train_Y, initialization=name)
    print("On the train set:")
    predictions_train = predict(train_X, train_Y, parameters)
    print("On the test set:")
    predictions_test = predict(test_X, test_Y, parameters)
    plt.title("Model with " + name + " initialization")
    axes = plt.gca()
    axes.set_xlim([-1.5, 1.5])
    axes.set_ylim([-1.5, 1.5])
    plot_decision_boundary(lambda x: predict_dec(parameters, x.T), train_X, train_Y)
