/** The project's vocabulary, in the order in which kernels count it. */

export const ACTIVATIONS = [
  "relu", "leaky_relu", "tanh", "sigmoid", "erf", "gelu",
  "silu", "elu", "selu", "softplus", "sin", "identity",
] as const;
export const LOSSES = [
  "binary_cross_entropy", "softmax_cross_entropy", "mean_squared_error",
] as const;
export const OPTIMIZERS = ["gradient_descent", "momentum", "adam"] as const;
export const PROBLEMS = ["circles", "moons", "spirals", "xor", "blobs"] as const;
export const SEEDINGS = ["legacy", "stream"] as const;

export type Activation = (typeof ACTIVATIONS)[number];
export type Loss = (typeof LOSSES)[number];
export type Optimizer = (typeof OPTIMIZERS)[number];
export type ProblemName = (typeof PROBLEMS)[number] | "points";
export type Seeding = (typeof SEEDINGS)[number];

/** What `measure` gives out per layer, after the loss and the score. */
export const MEASURED = [
  "activation_rms", "activation_spread", "gradient_norm", "weight_norm",
  "weight_distance", "distinct_units", "inactive_units", "saturated_share",
] as const;
export type Measured = (typeof MEASURED)[number];
