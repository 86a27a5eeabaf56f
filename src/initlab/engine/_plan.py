"""What a kernel is told of a study: a few integers, read by the names below.

Imports nothing, so that whatever compiles kernels can read it.
"""

# Positions in a plan; the widths follow.
LAYERS, ACTIVATION, LOSS, OPTIMIZER, BATCH_NORM, SCORE, WIDTHS = range(7)

# Numbers of names, in the order of initlab.spec.
(
    RELU, LEAKY_RELU, TANH, SIGMOID, ERF, GELU,
    SILU, ELU, SELU, SOFTPLUS, SIN, IDENTITY,
) = range(12)  # fmt: skip
BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, MEAN_SQUARED_ERROR = range(3)
GRADIENT_DESCENT, MOMENTUM, ADAM = range(3)
RIGHT_SIGN, RIGHT_HALF, RIGHT_CLASS, RESIDUAL = range(4)

# Examples that kernels take at once, and such tiles that go through a layer together:
# while one waits for its last multiply-add, the next has begun (measured: 8 %).
TILE = 4
STRIP = 6
# What `measure` gives out per layer, after the loss and the score.
MEASURED = (
    "activation_rms",
    "activation_spread",
    "gradient_norm",
    "weight_norm",
    "weight_distance",
    "distinct_units",
    "inactive_units",
    "saturated_share",
)
