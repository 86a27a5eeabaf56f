"""The lesson's data sets; generated ones draw from NumPy's global stream."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from initlab.lesson.modules._plots import scatter

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_NOISE, _TRAIN, _TEST = 0.05, 300, 100


def load_dataset(is_plot: bool = True, kind: str = "circles") -> Split:
    """Circles (or `kind="moons"`): X `(2, 300)`, Y `(1, 300)`, and 100 to test.

    Seeds NumPy's global stream with 1 and then 2, and draws the training points.
    """
    from sklearn import datasets

    make: Callable[..., Any] = getattr(datasets, f"make_{kind}")
    np.random.seed(1)
    train_X, train_Y = make(n_samples=_TRAIN, noise=_NOISE)
    np.random.seed(2)
    test_X, test_Y = make(n_samples=_TEST, noise=_NOISE)
    if is_plot:
        scatter(train_X.T, train_Y)
    return train_X.T, train_Y.reshape(1, -1), test_X.T, test_Y.reshape(1, -1)


def load_planar_dataset(
    seed: int = 1, randomness: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """A flower of two classes: X `(2, 400)`, Y `(1, 400)` of 0 and 1.

    Seeds NumPy's global stream.
    """
    np.random.seed(seed)
    half, petals = 200, 4
    X, Y = np.zeros((2 * half, 2)), np.zeros((2 * half, 1), dtype="uint8")
    for label in range(2):
        rows = range(half * label, half * (label + 1))
        angle = np.linspace(label * 3.12, (label + 1) * 3.12, half)
        angle = angle + np.random.randn(half) * randomness
        radius = petals * np.sin(4 * angle) + np.random.randn(half) * randomness
        X[rows] = np.c_[radius * np.sin(angle), radius * np.cos(angle)]
        Y[rows] = label
    return X.T, Y.T


def load_2D_dataset(is_plot: bool = True) -> Split:  # noqa: N802
    """Points of a football field from `datasets/data.mat`, or a generated stand-in.

    Shapes are `(2, 211)`, `(1, 211)`, `(2, 200)`, `(1, 200)`. Without the file, one
    line says so: costs and accuracies are then others than the course prints.
    """
    path = Path("datasets/data.mat")
    if path.is_file():
        from scipy.io import loadmat

        data = loadmat(path)
        split: Split = (data["X"].T, data["y"].T, data["Xval"].T, data["yval"].T)
    else:
        print(
            f"{path} is not here: generated points of the same kind are used, so costs "
            "and accuracies differ from the course's"
        )
        split = (*_field(211, 1), *_field(200, 2))
    if is_plot:
        scatter(split[0], split[1])
    return split


def _field(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes on either side of a diagonal, some on the wrong one."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(-0.75, 0.6, (2, count))
    margin = X[1] - X[0] * 0.8 - 0.05 + 0.15 * rng.randn(count)
    return X, (margin < 0).astype(np.uint8).reshape(1, -1)


def load_cat_dataset() -> tuple[np.ndarray, ...]:
    """Pictures of cats and others: train X, Y, test X, Y, and the classes' names.

    Pictures are columns `(12288, example)` between 0 and 1. Reads
    `datasets/train_catvnoncat.h5` and `datasets/test_catvnoncat.h5`.

    Raises:
        FileNotFoundError: If one of them is not there.
        ImportError: If h5py is not installed.
    """
    paths = [Path(f"datasets/{part}_catvnoncat.h5") for part in ("train", "test")]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is not here: this data set is a file of the course's"
            )
    try:
        import h5py
    except ImportError:
        raise ImportError("load_cat_dataset needs h5py: pip install h5py") from None
    loaded: list[np.ndarray] = []
    classes = np.array([])
    for path, part in zip(paths, ("train", "test"), strict=True):
        with h5py.File(path, "r") as file:
            pictures = np.array(file[f"{part}_set_x"])
            labels = np.array(file[f"{part}_set_y"])
            classes = np.array(file.get("list_classes", classes))
        loaded += [pictures.reshape(len(pictures), -1).T / 255, labels.reshape(1, -1)]
    return (*loaded, classes)
