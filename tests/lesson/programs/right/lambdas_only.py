# style: every function is a lambda
import numpy as np

_shapes = lambda dims: [(dims[i + 1], dims[i]) for i in range(len(dims) - 1)]
_with_biases = lambda ws: {k: v for i, w in enumerate(ws, 1)
                           for k, v in ((f"W{i}", w), (f"b{i}", np.zeros((w.shape[0], 1))))}

initialize_parameters_zeros = lambda layers_dims: _with_biases([np.zeros(s) for s in _shapes(layers_dims)])
initialize_parameters_random = lambda layers_dims: (
    np.random.seed(3), _with_biases([np.random.randn(*s) * 10 for s in _shapes(layers_dims)]))[1]
initialize_parameters_he = lambda layers_dims: (
    np.random.seed(3), _with_biases([np.random.randn(*s) * np.sqrt(2 / s[1]) for s in _shapes(layers_dims)]))[1]
