"""The kernels of the browser tab, under wasmtime, against the reference."""

import ctypes
import hashlib
import shutil

import numpy as np
import pytest
import wasmtime
from test_lanes import data_for, starts, study

import initlab as il
from initlab.engine import train
from initlab.engine._compile_apart import compiled
from initlab.engine._kernels import Kernels
from initlab.engine._lanes import LaneTrainer
from initlab.engine._target import WEBASSEMBLY
from initlab.engine._webassembly import FILE, KERNELS, PRECISION, build, linker_command
from initlab.spec import ACTIVATION_NAMES, LOSS_NAMES, MLP
from initlab.study._fit import examples_of, fitted
from initlab.study._start import drawn

# Of float32, in 30 steps and networks of four layers at most.
ROUNDING = 2e-5


class WebKernels(Kernels):
    """The file's functions, as those of `Kernels`: arrays are copied in and out."""

    lanes = WEBASSEMBLY.lanes(PRECISION)

    def __init__(self, path=FILE):
        self._store = wasmtime.Store()
        module = wasmtime.Module.from_file(self._store.engine, str(path))
        assert not module.imports, "a page has nothing to give"
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory = self._exports["memory"]
        self._heap = self._exports["__heap_base"].value(self._store)
        for name in ("activate", "train", "score", "measure"):
            setattr(self, name, self._function(name))

    def _function(self, name):
        def call(*given):
            top = (self._heap + 127) // 64 * 64
            places = []
            for each in given:
                if isinstance(each, np.ndarray):
                    places.append((top, each))
                    top = (top + each.nbytes + 127) // 64 * 64
            missing = top - self._memory.data_len(self._store)
            if missing > 0:
                self._memory.grow(self._store, missing // 65536 + 1)
            base = ctypes.addressof(self._memory.data_ptr(self._store).contents)
            for place, array in places:
                ctypes.memmove(base + place, array.ctypes.data, array.nbytes)
            where = iter(places)
            arguments = [
                next(where)[0] if isinstance(each, np.ndarray) else each
                for each in given
            ]
            unused = self._heap  # Numba's places for a result and an exception
            self._exports[name](self._store, unused, unused, *arguments)
            for place, array in places:
                ctypes.memmove(array.ctypes.data, base + place, array.nbytes)

        return call


@pytest.fixture(scope="module")
def web():
    return WebKernels()


def trained(spec, weights, data, compiled):
    single = spec.model_copy(update={"precision": PRECISION})
    trainer = LaneTrainer(single, data, compiled=compiled)
    return trainer.train(weights, [spec.learning_rate] * len(weights))


@pytest.mark.parametrize("loss", LOSS_NAMES)
@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_every_activation_and_loss_trains_as_the_reference_does(web, activation, loss):
    outputs = 1 if loss == "binary_cross_entropy" else 3
    widths = (2, 6, 5, outputs)
    spec = study(
        network=MLP(widths=widths, activation=activation),
        loss=loss,
        steps=30,
        record_every=10,
        optimizer="momentum",
    )
    data = data_for(loss, 2, outputs)
    weights = starts(widths, 3)

    found = trained(spec, weights, data, web)

    for start, history in zip(weights, found, strict=True):
        expected = train(spec, start, data)
        np.testing.assert_allclose(history.loss, expected.loss, rtol=ROUNDING)
        np.testing.assert_allclose(
            history.layers.gradient_norm, expected.layers.gradient_norm,
            rtol=100 * ROUNDING, atol=ROUNDING,
        )  # fmt: skip


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_batch_norm_and_mini_batches_are_the_references(web, optimizer):
    network = MLP(widths=(3, 8, 4, 3), activation="gelu", batch_norm=True)
    spec = study(
        network=network, loss="softmax_cross_entropy", steps=20, batch_size=9,
        optimizer=optimizer,
    )  # fmt: skip
    data = data_for("softmax_cross_entropy", 3, 3)
    (start,) = starts(network.widths)

    (found,) = trained(spec, [start], data, web)

    expected = train(spec, start, data)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=100 * ROUNDING)
    np.testing.assert_array_equal(found.test_score, expected.test_score)


@pytest.mark.slow
def test_hes_costs_are_the_lessons_within_float32(web, lesson):
    spec = il.Study(inits=["he_normal"])
    loaded = il.problems.load(spec.problem, loss=None)
    spec = fitted(spec, loaded)
    start = drawn(spec, spec.inits[0], 0)

    (found,) = trained(spec, [start], examples_of(spec, loaded), web)

    printed = lesson["circles"]["he_normal"]
    np.testing.assert_allclose(found.loss[:150:10], printed["costs"], rtol=2e-4)
    assert found.test_score[-1] == pytest.approx(printed["test_accuracy"], abs=0.011)


def test_the_committed_file_is_todays_kernels(tmp_path):
    (code,) = compiled(PRECISION, WEBASSEMBLY, [KERNELS])

    digest = hashlib.sha256(code).hexdigest()

    assert FILE.with_suffix(".sha256").read_text().split() == [
        digest,
        hashlib.sha256(FILE.read_bytes()).hexdigest(),
    ], "run `make wasm`"
    if linker_command() and shutil.which("wasm-ld") is None:  # the pinned one
        rebuilt = tmp_path / FILE.name
        build(rebuilt)
        assert rebuilt.read_bytes() == FILE.read_bytes()
