"""What is measured of a user's model beside the variables of `initlab.signal`.

A layer is one use of a weight, in order of execution.
"""

from collections.abc import Mapping
from types import MappingProxyType

from initlab.results._variable import LAYER, Variable

_MEASURED = {
    "use": "place among the layers that the member ran; nan: did not run",
    "delta_norm": "Frobenius norm of the gradients by pre-activations",
    "delta_subnormal": "share of them under the type's smallest normal number",
    "loss_delta_mean": "mean of the loss gradients by pre-activations",
    "loss_delta_std": "standard deviation of the loss gradients by pre-activations",
    "loss_delta_rms": "root mean square of the loss gradients by pre-activations",
    "loss_delta_norm": "Frobenius norm of the loss gradients by pre-activations",
    "loss_delta_subnormal": "share of them under the smallest normal number",
    "loss_gradient_norm": "Frobenius norm of the weight's loss gradient",
    "weight_mean": "mean of the weight's entries",
    "weight_std": "standard deviation of the weight's entries",
    "weight_largest": "largest absolute entry of the weight",
    "largest_part_std": "standard deviation of the largest of packed matrices",
    "smallest_part_std": "standard deviation of the smallest of packed matrices",
    "row_spread": "spread of the norms of units' weights, over their mean",
    "column_spread": "spread of the norms of inputs' weights, over their mean",
    "distinct_rows": "rows of a table that are no copies of others",
    "rivals": "units of the layer that are given the same",
    "shuffled": "units in a run that a pixel shuffle lays side by side",
    "averaged_units": "whether a mean is taken over the units",
    "multiplies": "whether what a table gives is a factor",
    "beside_constant": "rms of a constant that is added to what it gives, over its rms",
    "makes_weights": "whether what it gives is a matrix that weighs another signal",
    "indicates": "whether all entries of a table are 0 or 1",
    "constant_weight": "whether all entries of the weight are equal",
    "zero_units": "units whose incoming weights are all 0",
    "silent_units": "those of them whose bias is 0, too",
    "zero_inputs": "inputs whose outgoing weights are all 0",
    "parallel_units": "units whose incoming weights are multiples of one another's",
    "symmetric_units": "copies of other units, with equal outgoing weights too",
    "bias_mean": "mean of the biases",
    "bias_std": "standard deviation of the biases",
    "biased_off": "share of units that their bias keeps below 0",
    "given_mean": "mean of what the layer is given",
    "given_std": "standard deviation of what the layer is given",
    "given_rms": "root mean square of what the layer is given",
    "beside_ratio": "size of what it gives over all that it is concatenated with",
    "beside_rms": "size of what it gives, where it is concatenated",
    "given_spread": "distance of given vectors from their mean, over their size",
    "given_cosine": "mean centred cosine between two examples of what it is given",
    "token_cosine": "mean cosine of two tokens of an example, as given",
    "entering_mean": "mean of what the activation after the layer is given",
    "entering_rms": "root mean square of what the activation is given",
    "into_tanh": "whether that activation is a tanh; of gates, the fullest",
    "activation_units": "units that enter the activation",
    "biased_on": "share of units that their bias keeps above 0",
    "nonfinite_outputs": "outputs that are nan or infinite",
    "largest_output": "largest absolute output",
    "output_positions": "outputs per unit in the batch",
    "spectral_radius": "of a recurrent weight, the largest of its gates",
    "gated_radius": "the same of a weight whose outputs meet gates, in a loop by hand",
    "forget_bias": "mean bias of an LSTM's forget gate",
    "kept": "mean of the gate that keeps a state, in a cell by hand",
    "gates": "parts of that cell's bias, one a gate",
    "kept_gate": "which of them is that gate's, from 0",
    "candidate_bias": "root mean square of the biases inside a gated state's tanh",
    "write_bias": "mean bias of the gate that keeps most from a recurrent state",
}

MODEL_SCHEMA: Mapping[str, Variable] = MappingProxyType(
    {name: Variable(LAYER, "1", about) for name, about in _MEASURED.items()}
    | {
        "fan_in": Variable(("layer",), "inputs", "inputs that a unit adds up"),
        "fan_out": Variable(("layer",), "units", "units that an input reaches"),
        "module": Variable(("layer",), "1", "path of the module"),
        "parameter": Variable(("layer",), "1", "name of the parameter"),
    }
)
