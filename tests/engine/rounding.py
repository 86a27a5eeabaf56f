"""How far rounding may move a step: the sums of absolute terms behind each number.

A running error analysis of the reference (Wilkinson 1963; Higham 2002, section 3.3):
every operation adds the absolute values of its terms, times one unit, to what its
operands bring along. Nothing is bounded by a norm, so that each number has its own.
"""

import numpy as np

from initlab.engine import Parameters, Reference
from initlab.engine._reference import batches

# What an engine may differ by, of the sum of the absolute terms behind each number.
UNITS = {"float64": 1e-13, "float32": 5e-6}

# Ours, kept apart from the engine's: what these functions divide by.
NORM_EPSILON, ADAM_EPSILON = 1e-5, 1e-8


class Rounding:
    """Terms of a step's numbers, in the order of `Parameters`.

    Args:
        reference: After `forward` and `backward` on these examples.
        unit: Relative size of a rounding; terms are given in multiples of it.
    """

    def __init__(self, reference: Reference, x, y, unit):
        self.net, self.y, self.unit = reference, y, unit
        self.activation = reference.activation
        self._forward(np.asarray(x))
        self.gradient = reference.parameters.empty_like()
        self._backward()

    def moved(self, f, z, terms):
        """Return by how many units f moves when z does, and rounds."""
        step, here = self.unit * terms, f(z)
        away = np.maximum(abs(f(z + step) - here), abs(f(z - step) - here))
        return away / self.unit + abs(here)

    def _forward(self, x):
        a_terms = abs(x)
        self.inputs, self.z, self.activations, self.normed = [], [], [], []
        last = len(self.net.inputs) - 1
        for layer, a in enumerate(self.net.inputs):
            weight = self.net.parameters.weights[layer]
            bias = self.net.parameters.biases[layer]
            self.inputs.append(a_terms)
            z_terms = (a_terms + abs(a)) @ abs(weight).T
            if self.net.running and layer < last:
                z_terms = self._normalize(a @ weight.T, z_terms, layer)
            z = self.net.preactivations[layer]
            z_terms = z_terms + abs(bias) + abs(z)
            self.z.append(z_terms)
            f = self.activation.f if layer < last else np.positive
            a_terms = self.moved(f, z, z_terms)
            self.activations.append(a_terms)

    def _normalize(self, z, terms, layer):
        normed, scale, mean, variance = self.net.normalized[layer]
        mean_terms = terms.mean(axis=0) + abs(z).mean(axis=0)
        centred = z - mean
        terms = terms + mean_terms + abs(centred)
        variance_terms = (2 * abs(centred) * terms + centred**2).mean(axis=0)
        scale_terms = self.moved(
            lambda v: 1 / np.sqrt(np.maximum(v, 0) + NORM_EPSILON),
            variance, variance_terms,
        )  # fmt: skip
        terms = terms * scale + abs(centred) * scale_terms + abs(normed)
        self.normed.append((terms, scale_terms))
        return (terms + 2 * abs(normed)) * abs(self.net.parameters.scales[layer])

    def _loss_gradient(self):
        z, terms = self.net.preactivations[-1], self.z[-1]
        gradient = self.net.loss.gradient
        if self.net.loss.certain is None:
            return 2 * (terms + 2 * abs(z) + 2 * abs(self.y)) / len(z)
        # |dp/dz| is at most p for each logit; without targets, what is rounded is p.
        p = gradient(z, np.zeros_like(self.y))
        return p * (2 * terms + 2 * terms.max(axis=1, keepdims=True) + 4) + (
            abs(self.y) / len(z)
        )

    def loss(self):
        """Return the terms of the loss."""
        z, loss = self.net.preactivations[-1], self.net.loss
        slopes = abs(loss.gradient(z, self.y))
        if loss.certain is None:
            parts = (z**2 + self.y**2).sum() / len(z)
        else:  # logarithms and products of logits and targets
            parts = (2 * abs(z) + 2).sum() / len(z)
        return 2 * (slopes * self.z[-1]).sum() + 2 * parts

    def _backward(self):
        net = self.net
        delta = net.loss.gradient(net.preactivations[-1], self.y)
        terms = self._loss_gradient()
        for layer in reversed(range(len(net.inputs))):
            self.gradient.biases[layer][:] = (terms + abs(delta)).sum(axis=0)
            if net.running and layer < len(net.running):
                delta, terms = self._normalize_backward(delta, terms, layer)
            a, a_terms = net.inputs[layer], self.inputs[layer]
            self.gradient.weights[layer][:] = terms.T @ abs(a) + abs(delta).T @ (
                a_terms + 2 * abs(a)
            )
            if layer:
                weight = net.parameters.weights[layer]
                z, z_terms = net.preactivations[layer - 1], self.z[layer - 1]
                slope = self.activation.derivative(z)
                slope_terms = self.moved(self.activation.derivative, z, z_terms)
                terms = ((terms + 2 * abs(delta)) @ abs(weight)) * abs(slope) + (
                    abs(delta @ weight) * slope_terms
                )
                delta = (delta @ weight) * slope

    def _normalize_backward(self, delta, terms, layer):
        normed, scale, _, _ = self.net.normalized[layer]
        normed_terms, scale_terms = self.normed[layer]
        product_terms = terms * abs(normed) + abs(delta) * (normed_terms + abs(normed))
        self.gradient.scales[layer][:] = product_terms.sum(axis=0)
        mean, along = delta.mean(axis=0), (delta * normed).mean(axis=0)
        inner = delta - mean - normed * along
        inner_terms = (
            terms + (terms + abs(delta)).mean(axis=0) + 2 * abs(delta)
            + (normed_terms + 2 * abs(normed)) * abs(along)
            + abs(normed) * product_terms.mean(axis=0)
        )  # fmt: skip
        factor = abs(self.net.parameters.scales[layer])
        moved = (inner_terms * scale + abs(inner) * (scale_terms + 2 * scale)) * factor
        return inner * scale * self.net.parameters.scales[layer], moved

    def update(self, optimizer, learning_rate):
        """Return the terms of the parameters after one step of a fresh optimizer."""
        gradient, terms = self.net.gradient.flat, self.gradient.flat
        step, moved = gradient, terms
        if optimizer == "adam":

            def direction(g):
                return g / (abs(g) + ADAM_EPSILON)

            step, moved = direction(gradient), self.moved(direction, gradient, terms)
        return abs(self.net.parameters.flat) + learning_rate * (moved + 2 * abs(step))


def rounding_of(spec, start, data, unit):
    """Return the terms behind the first step from this start."""
    batch = next(batches(spec, len(data.train_x)))
    x, y = data.train_x[batch], data.train_y[batch]
    network = Reference(
        spec, Parameters.starting_from(start, batch_norm=spec.network.batch_norm)
    )
    network.backward(network.forward(x, training=True), y)
    return Rounding(network, x, y, unit)


def assert_one_step_is_the_references(history, expected, spec, start, data):
    """Compare the parameters after one step, and what was recorded before it."""
    unit = UNITS[spec.precision]
    terms = rounding_of(spec, start, data, unit)
    away = abs(history.parameters.flat - expected.parameters.flat)
    assert (away <= unit * terms.update(spec.optimizer, spec.learning_rate)).all()
    assert history.diverged_step == expected.diverged_step
    whole = spec.model_copy(update={"batch_size": None})
    recorded = rounding_of(whole, start, data, unit)
    assert abs(history.loss[0] - expected.loss[0]) <= unit * recorded.loss()
    for layer, gradient in enumerate(recorded.gradient.weights):
        for name, most in (
            ("activation_rms", recorded.activations[layer].max()),
            ("gradient_norm", 2 * np.linalg.norm(gradient)),
            ("weight_norm", 2 * expected.layers.weight_norm[0, layer]),
        ):
            found_at = getattr(history.layers, name)[0, layer]
            expected_at = getattr(expected.layers, name)[0, layer]
            assert abs(found_at - expected_at) <= unit * most, name
