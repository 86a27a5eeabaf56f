# style: indented by tabs, semicolons, long docstrings, everything crammed
import numpy as np

def initialize_parameters_zeros(layers_dims):
	"""
	Arguments:
	layers_dims -- python array (list) containing the size of each layer.

	Returns:
	parameters -- python dictionary containing "W1", "b1", ..., "WL", "bL"
	"""
	p = {}; L = len(layers_dims);
	for l in range(1, L): p['W'+str(l)] = np.zeros((layers_dims[l], layers_dims[l-1])); p['b'+str(l)] = np.zeros((layers_dims[l], 1));
	return p;

def initialize_parameters_random(layers_dims):
	"""
	The same with weights from a wide normal distribution.
	"""
	np.random.seed(3); p = {}; L = len(layers_dims);
	for l in range(1, L): p['W'+str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1])*10; p['b'+str(l)] = np.zeros((layers_dims[l], 1));
	return p;

def initialize_parameters_he(layers_dims):
	"""
	The same, scaled as He et al. propose.
	"""
	np.random.seed(3); p = {}; L = len(layers_dims);
	for l in range(1, L): p['W'+str(l)] = np.random.randn(layers_dims[l], layers_dims[l-1])*np.sqrt(2./layers_dims[l-1]); p['b'+str(l)] = np.zeros((layers_dims[l], 1));
	return p;
