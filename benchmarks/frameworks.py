"""PyTorch's, JAX's and Keras's own initializers, called as the suite calls."""

import importlib
import os

import numpy as np

from initlab.testing import Law, channels_last, examine_initializer

# The initializers are Keras's own; the lightest backend only draws for them.
os.environ.setdefault("KERAS_BACKEND", "numpy")

HEAD = (
    "framework",
    "initializer",
    "asked for by",
    "law",
    "verdict",
    "what breaks first (measured instead of expected)",
)
ROOT_2 = 2**0.5
HE = Law(distribution="normal", mode="fan_in", gain=ROOT_2)
HE_BACKWARD = Law(distribution="normal", mode="fan_out", gain=ROOT_2)
CUT_HE = Law(distribution="truncated_normal", mode="fan_in", gain=ROOT_2)
CUT = "variance_scaling(variance={}, mode={}, distribution=truncated_normal)"


def cut(variance, mode):
    return CUT.format(variance, mode)


def of_torch():
    """(name, function, law, of layers?, type) for every row."""
    import torch
    from torch.nn import init

    def filled(fill, dtype=torch.float32, **arguments):
        def draw(target, rng):
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            weight = torch.empty(getattr(target, "shape", target), dtype=dtype)
            return fill(weight, generator=generator, **arguments)

        return draw

    relu = {"nonlinearity": "relu"}
    rows = [
        ("normal_", filled(init.normal_), "normal(std=1)"),
        ("uniform_", filled(init.uniform_), "uniform(low=0, high=1)"),
        ("trunc_normal_", filled(init.trunc_normal_), "truncated_normal(std=1)"),
        ("kaiming_normal_", filled(init.kaiming_normal_, **relu), "he_normal"),
        ("kaiming_uniform_", filled(init.kaiming_uniform_, **relu), "he_uniform"),
        ("xavier_normal_", filled(init.xavier_normal_), "glorot_normal"),
        ("xavier_uniform_", filled(init.xavier_uniform_), "glorot_uniform"),
        ("orthogonal_", filled(init.orthogonal_), "orthogonal"),
    ]
    backward = filled(init.kaiming_normal_, mode="fan_out", **relu)
    half = torch.bfloat16
    return (
        [(*row, False, "float32") for row in rows]
        + [
            (
                "kaiming_normal_",
                filled(init.kaiming_normal_, **relu),
                HE,
                True,
                "float32",
            ),
            ("kaiming_normal_(mode='fan_out')", backward, HE_BACKWARD, True, "float32"),
        ]
        + [
            ("normal_", filled(init.normal_, half), "normal(std=1)", False, "bfloat16"),
            (
                "uniform_",
                filled(init.uniform_, half, a=-1.0, b=1.0),
                "uniform(low=-1, high=1)",
                False,
                "bfloat16",
            ),
            (
                "trunc_normal_",
                filled(init.trunc_normal_, half),
                "truncated_normal(std=1)",
                False,
                "bfloat16",
            ),
            (
                "kaiming_normal_",
                filled(init.kaiming_normal_, half, **relu),
                "he_normal",
                False,
                "bfloat16",
            ),
        ]
    )


def for_layers(function):
    """A `(*kernel, in, out)` initializer, given a layer as its framework stores it."""

    def draw(layer, rng):
        first, second, *kernel = layer.shape
        return np.moveaxis(
            np.asarray(function((*kernel, second, first), rng)), (-1, -2), (0, 1)
        )

    return draw


def of_jax():
    import jax
    import jax.numpy as jnp
    from jax.nn import initializers

    def keyed(initialize, dtype=jnp.float32):
        def draw(shape, rng):
            return initialize(jax.random.key(int(rng.integers(2**31))), shape, dtype)

        return draw

    def flax_layers(initialize):
        draw = keyed(initialize)

        def of_layer(layer, rng):
            first, second, *kernel = layer.shape
            if layer.transposed:  # stored as (*kernel, in, out)
                weight = draw((*kernel, first, second), rng)
                return np.moveaxis(np.asarray(weight), (-2, -1), (0, 1))
            return for_layers(draw)(layer, rng)

        return of_layer

    i = initializers
    rows = [
        ("normal(1)", i.normal(1.0), "normal(std=1)"),
        ("truncated_normal(1)", i.truncated_normal(1.0), "truncated_normal(std=1)"),
        ("he_normal", i.he_normal(), cut(2, "fan_in")),
        ("he_uniform", i.he_uniform(), "he_uniform"),
        ("lecun_normal", i.lecun_normal(), cut(1, "fan_in")),
        ("glorot_normal", i.glorot_normal(), cut(1, "fan_avg")),
        ("glorot_uniform", i.glorot_uniform(), "glorot_uniform"),
        ("orthogonal", i.orthogonal(column_axis=-1), "orthogonal"),
    ]
    half = jnp.bfloat16
    return (
        [
            (name, channels_last(keyed(f)), law, False, "float32")
            for name, f, law in rows
        ]
        + [("he_normal", flax_layers(i.he_normal()), CUT_HE, True, "float32")]
        + [
            (name, channels_last(keyed(f, half)), law, False, "bfloat16")
            for name, f, law in (rows[0], rows[1], rows[3])
        ]
    )


def of_keras():
    import keras

    i = keras.initializers

    def seeded(make, dtype="float32"):
        def draw(shape, rng):
            weight = make(seed=int(rng.integers(2**31)))(shape, dtype=dtype)
            return keras.ops.convert_to_numpy(weight)

        return draw

    def keras_layers(make):
        draw = seeded(make)

        def of_layer(layer, rng):
            first, second, *kernel = layer.shape
            if layer.transposed:  # stored as (*kernel, out, in)
                weight = draw((*kernel, second, first), rng)
                return np.moveaxis(weight, (-1, -2), (0, 1))
            if layer.groups == first and second == 1 and first > 1:
                # DepthwiseConv2D stores (*kernel, in, multiplier).
                return np.moveaxis(draw((*kernel, first, 1), rng), (-2, -1), (0, 1))
            return for_layers(draw)(layer, rng)

        return of_layer

    def cut_normal(seed):
        return i.TruncatedNormal(stddev=1.0, seed=seed)

    def nominal_normal(seed):
        return i.VarianceScaling(distribution="normal", seed=seed)

    rows = [
        (
            "RandomNormal(stddev=1)",
            lambda seed: i.RandomNormal(stddev=1.0, seed=seed),
            "normal(std=1)",
        ),
        ("TruncatedNormal(stddev=1)", cut_normal, "truncated_normal(std=1)"),
        ("HeNormal", i.HeNormal, cut(2, "fan_in")),
        ("HeUniform", i.HeUniform, "he_uniform"),
        ("LecunNormal", i.LecunNormal, cut(1, "fan_in")),
        ("GlorotNormal", i.GlorotNormal, cut(1, "fan_avg")),
        ("GlorotUniform", i.GlorotUniform, "glorot_uniform"),
        (
            "VarianceScaling(distribution='normal')",
            nominal_normal,
            "variance_scaling(distribution=normal)",
        ),
    ]
    return [
        (name, channels_last(seeded(f)), law, False, "float32") for name, f, law in rows
    ] + [
        (
            "Orthogonal",
            channels_last(seeded(i.Orthogonal)),
            "orthogonal",
            False,
            "float32",
        ),
        ("HeNormal", keras_layers(i.HeNormal), CUT_HE, True, "float32"),
    ]


def judge_all():
    """The line of versions, and one row of the table per initializer."""
    versions, table = [], []
    for name, rows_of in (("torch", of_torch), ("jax", of_jax), ("keras", of_keras)):
        try:
            package = importlib.import_module(name)
            rows = rows_of()
        except ImportError:
            versions.append(f"{name} not installed")
            continue
        versions.append(f"{name} {package.__version__}")
        for label, function, law, layers, dtype in rows:
            print(name, label, dtype, "layers" if layers else "shapes", flush=True)
            table.append(judged(name, label, function, law, layers, dtype))
    return ", ".join(versions) + ".", table


def judged(framework, label, function, law, layers, dtype):
    def supported(layer):
        # Flax has no transposed convolutions in groups, Keras neither.
        grouped = layers and layer.transposed and layer.groups > 1
        return not (grouped and framework != "torch")

    report = examine_initializer(
        function, law=law, layers=layers, dtype=dtype, accepts=supported
    )
    stated = law if isinstance(law, str) else f"{law.distribution}, {law.mode} kept"
    asked = "layer" if layers else "shape"
    if dtype != "float32":
        asked += f", {dtype}"
    verdict = f"{len(report.broken)} of {len(report.outcomes)} checks broken"
    return (
        framework,
        f"`{label}`",
        asked,
        f"`{stated}`",
        verdict if report.broken else "**passes**",
        summary(report, law),
    )


def summary(report, law):
    """Every broken property at its first place; every layer of the kept variance."""
    kept = {"fan_in": "forward variance", "fan_out": "backward variance"}
    wanted = kept.get(getattr(law, "mode", None))
    parts = []
    for name in report.broken_names:
        places = [o for o in report.broken if o.name == name]
        if "variance" not in name:
            first = places[0]
            parts.append(
                f"{name}: {first.measured:.4g} instead of {first.expected:.4g}"
            )
        elif name == (wanted or name):
            ratios = [f"{kind(o.where)} {o.measured / o.expected:.3g}" for o in places]
            parts.append(f"{name}, times the kept one: {', '.join(ratios)}")
    return "; ".join(parts)


def kind(where):
    """A layer in a few words."""
    if isinstance(where, tuple):
        return str(where)
    words = ["transposed"] if where.transposed else []
    if where.groups > 1:
        words.append("depthwise" if where.shape[1] == 1 else f"{where.groups} groups")
    if where.stride:
        words.append(f"stride {'x'.join(map(str, where.stride))}")
    return f"{' '.join(words) or where.kind} ({'x'.join(map(str, where.shape))})"
