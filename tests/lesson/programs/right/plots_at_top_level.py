# style: histograms of the weights at the top level, plt.show(), print options and warnings changed
import warnings

import matplotlib.pyplot as plt
import numpy as np

warnings.filterwarnings("ignore")
np.set_printoptions(precision=3, suppress=True)


def initialize_parameters_zeros(layers_dims):
    parameters = {}
    for i in range(1, len(layers_dims)):
        parameters["W" + str(i)] = np.zeros((layers_dims[i], layers_dims[i - 1]))
        parameters["b" + str(i)] = np.zeros((layers_dims[i], 1))
    return parameters


def initialize_parameters_random(layers_dims):
    np.random.seed(3)
    parameters = {}
    for i in range(1, len(layers_dims)):
        parameters["W" + str(i)] = np.random.randn(layers_dims[i], layers_dims[i - 1]) * 10
        parameters["b" + str(i)] = np.zeros((layers_dims[i], 1))
    return parameters


def initialize_parameters_he(layers_dims):
    np.random.seed(3)
    parameters = {}
    for i in range(1, len(layers_dims)):
        parameters["W" + str(i)] = np.random.randn(layers_dims[i], layers_dims[i - 1]) * np.sqrt(2 / layers_dims[i - 1])
        parameters["b" + str(i)] = np.zeros((layers_dims[i], 1))
    return parameters


fig, axes = plt.subplots(1, 3, figsize=(12, 3))
for ax, f in zip(axes, (initialize_parameters_zeros, initialize_parameters_random, initialize_parameters_he)):
    ax.hist(f([100, 100, 100])["W2"].ravel(), bins=40)
    ax.set_title(f.__name__)
plt.tight_layout()
plt.show()
