"""Compare the catalog's dialects with the frameworks that they name, live.

    python benchmarks/framework_laws.py

Needs torch and jax (`pip install initlab[bench]`). `tests/catalog` holds the numbers
that it prints under "golden", so that the tests need neither.
"""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import torch

from initlab import catalog
from initlab.spec import LayerSpec

jax.config.update("jax_enable_x64", True)

DRAWS = 400
STANDARD_ERRORS = 5
SHAPES = [(8, 8), (12, 5), (5, 12), (6, 4, 3, 3), (4, 6, 3)]


def gaussian(shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


def torch_orthogonal(shape):
    """`orthogonal_` of PyTorch, its Gaussian replaced by ours."""

    def ours(tensor, *_, **__):
        return tensor.copy_(torch.from_numpy(gaussian(tuple(tensor.shape))))

    original, torch.Tensor.normal_ = torch.Tensor.normal_, ours
    try:
        weight = torch.empty(shape, dtype=torch.float64)
        return torch.nn.init.orthogonal_(weight).numpy()
    finally:
        torch.Tensor.normal_ = original


def jax_orthogonal(shape):
    """`orthogonal` of JAX on the Gaussian that its dialect here draws, ours."""
    from jax._src.random import core

    def ours(key, shape, dtype=float, **_):  # noqa: ARG001 -- JAX's signature
        return jnp.asarray(gaussian(tuple(shape)))

    first, second, *kernel = shape
    original, core.normal = core.normal, ours
    try:
        with jax.disable_jit():
            stored = jax.nn.initializers.orthogonal()(
                jax.random.key(0), (*kernel, second, first), jnp.float64
            )
    finally:
        core.normal = original
    return np.moveaxis(np.asarray(stored), (-1, -2), (0, 1))


def compare_orthogonal():
    golden = {}
    for shape in SHAPES:
        for dialect, theirs in (("torch", torch_orthogonal), ("jax", jax_orthogonal)):
            expected = theirs(shape)
            actual = catalog.orthogonal(
                shape, rng=np.random.RandomState(0), dialect=dialect
            )
            difference = abs(actual - expected).max()
            print(f"orthogonal {shape} as {dialect}: differs by {difference:.1e}")
            assert difference < 1e-6
            golden[f"{dialect} {shape}"] = [
                round(float(x), 12) for x in expected.ravel()[:3]
            ]
    print("golden:", json.dumps(golden))


def compare_dirac():
    for shape, groups in [((6, 2, 3, 5), 3), ((4, 6, 3), 1), ((3, 2, 2, 4, 3), 1)]:
        expected = torch.nn.init.dirac_(torch.empty(shape), groups).numpy()
        layer = LayerSpec(kind="conv", shape=shape, groups=groups)
        actual = catalog.dirac(layer, rng=np.random.default_rng(0))
        assert (actual == expected).all()
        print(f"dirac {shape}, groups={groups}: the same")
    eye = torch.nn.init.eye_(torch.empty(3, 5)).numpy()
    assert (catalog.identity((3, 5), rng=np.random.default_rng(0)) == eye).all()


def compare_sparse():
    for shape, sparsity in [((10, 40), 0.55), ((7, 9), 0.9), ((10, 30), 0.7)]:
        theirs = torch.nn.init.sparse_(torch.empty(shape), sparsity)
        zeros = set((theirs == 0).sum(dim=0).tolist())
        ours = catalog.sparse(shape, rng=np.random.default_rng(0), sparsity=sparsity)
        assert zeros == set((ours == 0).sum(axis=0).tolist())
        print(f"sparse {shape}, {sparsity}: {zeros} zeros per column in both")


def compare_std(label, law, draw):
    """Assert that pooled draws have the law's deviation, to five standard errors."""
    sample = np.concatenate([np.asarray(draw(k)).ravel() for k in range(DRAWS)])
    error = STANDARD_ERRORS * law / math.sqrt(2 * sample.size)
    print(f"{label}: law {law:.6g}, {sample.size:,} draws {sample.std():.6g}")
    assert abs(sample.std() - law) < error


def compare_torch_laws():
    init = torch.nn.init
    table = {
        "he_normal": init.kaiming_normal_,
        "he_uniform": init.kaiming_uniform_,
        "glorot_normal": init.xavier_normal_,
        "glorot_uniform": init.xavier_uniform_,
    }
    layer = LayerSpec(kind="conv", shape=(12, 6, 3, 3), transposed=True)
    for name, function in table.items():
        law = catalog.get(name).std(layer, dialect="torch")
        compare_std(
            f"{name} as torch",
            law,
            lambda _, f=function: f(torch.empty(layer.shape)).numpy(),
        )
    modules = {
        LayerSpec(shape=(20, 12)): lambda: torch.nn.Linear(12, 20),
        LayerSpec(kind="conv", shape=(12, 3, 3), groups=2): lambda: torch.nn.Conv1d(
            6, 12, 3, groups=2
        ),
        LayerSpec(kind="conv", shape=(6, 5, 3, 3), groups=2, transposed=True): lambda: (
            torch.nn.ConvTranspose2d(6, 10, 3, groups=2)
        ),
    }
    for spec, module in modules.items():
        law = catalog.get("torch_default").std(spec)
        compare_std(
            f"torch_default {spec.kind} {spec.shape}",
            law,
            lambda _, m=module: m().weight.detach().numpy(),
        )
        biases = catalog.draw_bias("torch_default", spec, rng=np.random.default_rng(0))
        assert biases.shape == tuple(module().bias.shape)
        compare_std("  its biases", law, lambda _, m=module: m().bias.detach().numpy())
    embedding = LayerSpec(kind="embedding", shape=(30, 8))
    law = catalog.get("torch_default").std(embedding)
    compare_std(
        "torch_default embedding",
        law,
        lambda _: torch.nn.Embedding(30, 8).weight.detach().numpy(),
    )


def compare_jax_laws():
    table = {
        "he_normal": jax.nn.initializers.he_normal(),
        "he_uniform": jax.nn.initializers.he_uniform(),
        "glorot_normal": jax.nn.initializers.glorot_normal(),
        "lecun_normal": jax.nn.initializers.lecun_normal(),
    }
    for transposed in (False, True):
        layer = LayerSpec(kind="conv", shape=(12, 6, 3, 3), transposed=transposed)
        # Flax's kernels are (*kernel, in, out), transposed or not.
        stored = (3, 3, 12, 6) if transposed else (3, 3, 6, 12)
        for name, function in table.items():
            law = catalog.get(name).std(layer, dialect="jax")
            compare_std(
                f"{name} as jax, transposed={transposed}",
                law,
                lambda k, f=function, s=stored: f(jax.random.key(k), s),
            )


if __name__ == "__main__":
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, jax {jax.__version__}")
    compare_orthogonal()
    compare_dirac()
    compare_sparse()
    compare_torch_laws()
    compare_jax_laws()
