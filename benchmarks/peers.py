"""Other tools that train an ensemble of small fully connected networks.

Each peer is prepared once, for one task, and then runs as often as wanted:

    with pinned(task.threads):
        run = torch_eager(task, starts, steps)
        losses = run()

Preparing imports the tool, converts the data, compiles and warms up. A run trains every
member from its starting weights by plain gradient descent and returns each member's
training loss after the last step, in float64 and by the same NumPy code for all peers.

A peer imports its tool when it is prepared, so that a process that measures one tool
has no threads of another. Thread pools are sized when a tool is first used: measure
each peer and each number of threads in a process of its own.
"""

import copy
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

Layers = list[tuple[np.ndarray, np.ndarray]]
Starts = Sequence[Layers]
TORCH_CHUNKS = (16, 64, 128, 512)
JAX_CHUNKS = (1, 8, 16, 64, 256, 512)
TRIAL_MEMBERS = 64


@dataclass(frozen=True)
class Task:
    """What every member is trained on, and how.

    Attributes:
        widths: Units of each layer, from the inputs to the outputs.
        activation: The activation of every hidden layer.
        loss: Computed from logits, summed over outputs, averaged over examples.
        x: Inputs, (example, feature).
        y: Targets, (example, output): 0 or 1, or one-hot.
        learning_rate: The constant step size.
        batches: Rows of each step's batch, (step, batch), used again from the first
            when there are more steps; None for all rows at every step.
        dtype: The precision of the training.
        threads: How many threads a peer may use.
    """

    widths: tuple[int, ...]
    activation: Literal["relu", "tanh"]
    loss: Literal["binary_cross_entropy", "softmax_cross_entropy"]
    x: np.ndarray
    y: np.ndarray
    learning_rate: float
    batches: np.ndarray | None = None
    dtype: type[np.float32] | type[np.float64] = np.float64
    threads: int = 1

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs and the targets in the training's precision."""
        return self.x.astype(self.dtype), self.y.astype(self.dtype)

    def rows(self, steps: int) -> np.ndarray | None:
        """Return the batches of so many steps, (step, batch), if there are any."""
        if self.batches is None:
            return None
        return self.batches[np.arange(steps) % len(self.batches)]


@dataclass(frozen=True)
class Run:
    """A prepared peer: call it to train all members and get their final losses.

    Attributes:
        train: Trains every member from its start and returns the final weights.
        task: What the members are trained on.
        steps: How many updates each member really gets.
        comparable: Whether the losses should equal the other peers'.
        chunk: How many members are trained at once, where the peer has a choice.
    """

    train: Callable[[], Starts]
    task: Task
    steps: int
    comparable: bool = True
    chunk: int | None = field(default=None, kw_only=True)

    def __call__(self) -> np.ndarray:
        """Train every member; return the final training losses, (member,)."""
        return final_losses(self.task, self.train())


Peer = Callable[[Task, Starts, int], Run]


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """Keep this process on `threads` of its cores, and BLAS and OpenMP on as many.

    The one limit that holds for every peer. Threads that exist move to the chosen cores
    and those started inside inherit them, as do worker processes. Prepare peers inside:
    OpenBLAS, PyTorch, JAX and loky size their pools by the affinity they first see. A
    pool keeps its size afterwards, so a process that began with fewer cores never uses
    more. Linux only.

    Args:
        threads: How many cores to keep.

    Raises:
        ValueError: If the process may use fewer cores than that.
    """
    cores = sorted(os.sched_getaffinity(0))
    if not 1 <= threads <= len(cores):
        raise ValueError(f"threads must be between 1 and {len(cores)}, got {threads}")
    before = set(cores)
    _move_threads(set(cores[:threads]))
    try:
        with threadpool_limits(threads):
            yield
    finally:
        _move_threads(before)


def _move_threads(cores: set[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.sched_setaffinity(int(thread), cores)


def final_losses(task: Task, members: Starts) -> np.ndarray:
    """Return each member's loss over all examples, computed in float64."""
    return np.array([_loss(task, layers) for layers in members])


def _loss(task: Task, layers: Layers) -> float:
    z = task.x.astype(np.float64)
    for index, (weights, biases) in enumerate(layers):
        if index > 0:
            z = np.maximum(z, 0) if task.activation == "relu" else np.tanh(z)
        z = z @ np.float64(weights).T + np.float64(biases)
    if task.loss == "binary_cross_entropy":
        total = np.sum(np.logaddexp(0, z) - task.y * z)
    else:
        normalizer = np.logaddexp.reduce(z, axis=1, keepdims=True)
        total = np.sum(task.y * (normalizer - z))
    return float(total / len(z))


# --- NumPy, as courses teach it ---------------------------------------------------


def lesson_loop(task: Task, starts: Starts, steps: int) -> Run:
    """Prepare the NumPy loop of deep-learning courses, one member after another.

    Columns are examples, parameters live in a dictionary, and the cost is computed at
    every step, all as in the courses' notebooks.

    Args:
        task: What to train on.
        starts: The starting weights of each member.
        steps: How many updates to make.

    Returns:
        The prepared run.
    """
    x, y = (np.ascontiguousarray(array.T) for array in task.data())
    rows = task.rows(steps)

    def train() -> Starts:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return [_lesson_model(task, x, y, rows, steps, start) for start in starts]

    _lesson_model(task, x, y, rows, min(steps, 1), starts[0])
    return Run(train, task, steps)


def _lesson_model(
    task: Task,
    X: np.ndarray,
    Y: np.ndarray,
    rows: np.ndarray | None,
    steps: int,
    start: Layers,
) -> Layers:
    depth = len(start)
    parameters: dict[str, np.ndarray] = {}
    for layer, (weights, biases) in enumerate(start, 1):
        parameters[f"W{layer}"] = weights.astype(task.dtype)
        parameters[f"b{layer}"] = biases.astype(task.dtype)[:, None]
    costs = []
    batch_x, batch_y = X, Y
    for step in range(steps):
        if rows is not None:
            batch_x, batch_y = X[:, rows[step]], Y[:, rows[step]]
        cache = _lesson_forward(task, batch_x, parameters, depth)
        costs.append(_lesson_cost(task, cache[f"A{depth}"], batch_y))
        grads = _lesson_backward(task, cache, batch_y, parameters, depth)
        for name in parameters:
            parameters[name] = parameters[name] - task.learning_rate * grads[f"d{name}"]
    return [
        (parameters[f"W{layer}"], parameters[f"b{layer}"][:, 0])
        for layer in range(1, depth + 1)
    ]


def _lesson_forward(
    task: Task, X: np.ndarray, parameters: dict[str, np.ndarray], depth: int
) -> dict[str, np.ndarray]:
    cache = {"A0": X}
    A = X
    for layer in range(1, depth + 1):
        Z = np.dot(parameters[f"W{layer}"], A) + parameters[f"b{layer}"]
        if layer < depth:
            A = np.maximum(0, Z) if task.activation == "relu" else np.tanh(Z)
        elif task.loss == "binary_cross_entropy":
            A = 1 / (1 + np.exp(-Z))
        else:
            exponentials = np.exp(Z - np.max(Z, axis=0, keepdims=True))
            A = exponentials / np.sum(exponentials, axis=0, keepdims=True)
        cache[f"A{layer}"] = A
    return cache


def _lesson_cost(task: Task, A: np.ndarray, Y: np.ndarray) -> float:
    m = Y.shape[1]
    if task.loss == "binary_cross_entropy":
        logprobs = np.multiply(-np.log(A), Y) + np.multiply(-np.log(1 - A), 1 - Y)
    else:
        logprobs = np.multiply(-np.log(A), Y)
    return float(1.0 / m * np.nansum(logprobs))


def _lesson_backward(
    task: Task,
    cache: dict[str, np.ndarray],
    Y: np.ndarray,
    parameters: dict[str, np.ndarray],
    depth: int,
) -> dict[str, np.ndarray]:
    m = Y.shape[1]
    # The courses' int64 would widen float32 to float64.
    integer = np.int64 if task.dtype is np.float64 else np.int8
    grads = {}
    dZ = 1.0 / m * (cache[f"A{depth}"] - Y)
    for layer in range(depth, 0, -1):
        A = cache[f"A{layer - 1}"]
        grads[f"dW{layer}"] = np.dot(dZ, A.T)
        grads[f"db{layer}"] = np.sum(dZ, axis=1, keepdims=True)
        if layer > 1:
            dA = np.dot(parameters[f"W{layer}"].T, dZ)
            if task.activation == "relu":
                dZ = np.multiply(dA, integer(A > 0))
            else:
                dZ = np.multiply(dA, 1 - np.power(A, 2))
    return grads


# --- scikit-learn -----------------------------------------------------------------


def sklearn_alone(task: Task, starts: Starts, steps: int) -> Run:
    """Prepare scikit-learn's MLPClassifier, one member after another.

    Mini-batches are drawn by scikit-learn, an epoch at a time: those runs round the
    steps up to whole epochs and are not comparable by loss.

    Args:
        task: What to train on. Softmax needs at least three classes.
        starts: The starting weights of each member.
        steps: How many updates to make.

    Returns:
        The prepared run.
    """
    x, labels = _sklearn_data(task)
    model, updates = _sklearn_model(task, x, labels, steps)
    members = [_sklearn_layers(task, start) for start in starts]

    def train() -> Starts:
        return [_sklearn_fit(model, x, labels, member) for member in members]

    return Run(train, task, updates, task.batches is None)


def sklearn_joblib(task: Task, starts: Starts, steps: int) -> Run:
    """Prepare scikit-learn's MLPClassifier with members spread over processes.

    As `sklearn_alone`, by joblib with one worker process per thread of the task.

    Args:
        task: What to train on. Softmax needs at least three classes.
        starts: The starting weights of each member.
        steps: How many updates to make.

    Returns:
        The prepared run.
    """
    from joblib import Parallel, delayed

    x, labels = _sklearn_data(task)
    model, updates = _sklearn_model(task, x, labels, steps)
    members = [_sklearn_layers(task, start) for start in starts]

    def train() -> Starts:
        return list(
            Parallel(n_jobs=task.threads)(
                delayed(_sklearn_fit)(model, x, labels, member) for member in members
            )
        )

    short = copy.deepcopy(model).set_params(max_iter=1)
    Parallel(n_jobs=task.threads)(
        delayed(_sklearn_fit)(short, x, labels, members[0])
        for _ in range(8 * task.threads)
    )
    return Run(train, task, updates, task.batches is None)


def _sklearn_data(task: Task) -> tuple[np.ndarray, np.ndarray]:
    x, y = task.data()
    if task.loss == "softmax_cross_entropy":
        if y.shape[1] < 3:
            raise ValueError("scikit-learn's softmax needs at least three classes")
        return x, y.argmax(axis=1)
    labels = y.astype(np.int64)
    return x, labels[:, 0] if labels.shape[1] == 1 else labels


def _sklearn_layers(task: Task, start: Layers) -> Layers:
    return [
        (np.ascontiguousarray(w.T, task.dtype), b.astype(task.dtype)) for w, b in start
    ]


def _sklearn_model(
    task: Task, x: np.ndarray, labels: np.ndarray, steps: int
) -> tuple[Any, int]:
    from sklearn.neural_network import MLPClassifier
    from sklearn.utils.multiclass import unique_labels

    batch = len(x) if task.batches is None else task.batches.shape[1]
    per_epoch = math.ceil(len(x) / batch)
    epochs = math.ceil(steps / per_epoch)
    model = MLPClassifier(
        task.widths[1:-1],
        activation=task.activation,
        solver="sgd",
        alpha=0,
        batch_size=batch,
        learning_rate="constant",
        learning_rate_init=task.learning_rate,
        momentum=0,
        nesterovs_momentum=False,
        shuffle=task.batches is not None,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        tol=0,
        random_state=0,
    )
    model.partial_fit(x, labels, classes=unique_labels(labels))
    return model.set_params(warm_start=True), epochs * per_epoch


def _sklearn_fit(
    model: Any, x: np.ndarray, labels: np.ndarray, start: Layers
) -> Layers:
    from sklearn.exceptions import ConvergenceWarning

    model = copy.deepcopy(model)
    model.coefs_ = [weights.copy() for weights, _ in start]
    model.intercepts_ = [biases.copy() for _, biases in start]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, labels)
    return [
        (weights.T, biases)
        for weights, biases in zip(model.coefs_, model.intercepts_, strict=True)
    ]


# --- PyTorch ----------------------------------------------------------------------


def torch_eager(task: Task, starts: Starts, steps: int) -> Run:
    """Prepare a plain PyTorch loop, one member after another.

    Autograd, `torch.optim.SGD` as it comes, and plain tensors, which cost less per step
    than modules.

    Args:
        task: What to train on.
        starts: The starting weights of each member.
        steps: How many updates to make.

    Returns:
        The prepared run.
    """
    import torch

    torch.set_num_threads(task.threads)
    x, y = map(torch.from_numpy, task.data())
    rows = _torch_rows(task, steps)
    loss = _torch_loss(task)

    def train_one(start: Layers, steps: int) -> Layers:
        layers = [
            tuple(
                torch.tensor(array.astype(task.dtype), requires_grad=True)
                for array in layer
            )
            for layer in start
        ]
        optimizer = torch.optim.SGD(
            [parameter for layer in layers for parameter in layer],
            lr=task.learning_rate,
        )
        batch_x, batch_y = x, y
        for step in range(steps):
            if rows is not None:
                batch_x, batch_y = x[rows[step]], y[rows[step]]
            optimizer.zero_grad()
            loss(layers, batch_x, batch_y).backward()
            optimizer.step()
        return [(w.detach().numpy(), b.detach().numpy()) for w, b in layers]

    train_one(starts[0], min(steps, 10))
    return Run(lambda: [train_one(start, steps) for start in starts], task, steps)


def torch_vmap(task: Task, starts: Starts, steps: int, chunk: int | None = None) -> Run:
    """Prepare a PyTorch loop that trains a chunk of members at once by `vmap`.

    Args:
        task: What to train on.
        starts: The starting weights of each member.
        steps: How many updates to make.
        chunk: How many members to train at once; None for the fastest of
            `TORCH_CHUNKS` in a short trial.

    Returns:
        The prepared run.
    """
    import torch

    if chunk is None:
        chunk = best_chunk(torch_vmap, task, starts, TORCH_CHUNKS, min(steps, 50))
    torch.set_num_threads(task.threads)
    x, y = map(torch.from_numpy, task.data())
    rows = _torch_rows(task, steps)
    gradients = torch.func.vmap(
        torch.func.grad(_torch_loss(task)), in_dims=(0, None, None)
    )

    def train_chunk(members: Starts, steps: int) -> Starts:
        layers = [
            tuple(torch.from_numpy(array) for array in layer)
            for layer in _stack(task, members)
        ]
        batch_x, batch_y = x, y
        for step in range(steps):
            if rows is not None:
                batch_x, batch_y = x[rows[step]], y[rows[step]]
            slopes = gradients(layers, batch_x, batch_y)
            for layer, slope in zip(layers, slopes, strict=True):
                for parameter, gradient in zip(layer, slope, strict=True):
                    parameter.sub_(gradient, alpha=task.learning_rate)
        return _unstack([(w.numpy(), b.numpy()) for w, b in layers])

    chunks = _chunks(starts, chunk)
    for members in _distinct(chunks):
        train_chunk(members, min(steps, 3))

    def train() -> Starts:
        return [layers for part in chunks for layers in train_chunk(part, steps)]

    return Run(train, task, steps, chunk=chunk)


def _torch_rows(task: Task, steps: int) -> Any:
    import torch

    rows = task.rows(steps)
    return None if rows is None else torch.from_numpy(rows.astype(np.int64))


def _torch_loss(task: Task) -> Callable[[Any, Any, Any], Any]:
    import torch
    from torch.nn import functional

    activate = torch.relu if task.activation == "relu" else torch.tanh

    def loss(layers: Any, x: Any, y: Any) -> Any:
        z = x
        for index, (weights, biases) in enumerate(layers):
            z = functional.linear(z if index == 0 else activate(z), weights, biases)
        if task.loss == "softmax_cross_entropy":
            return functional.cross_entropy(z, y)
        # Its mean is over outputs too.
        return functional.binary_cross_entropy_with_logits(z, y) * task.widths[-1]

    return loss


# --- JAX --------------------------------------------------------------------------


def jax_scan(task: Task, starts: Starts, steps: int) -> Run:
    """Prepare JAX with the whole training compiled, one member at a time.

    Args:
        task: What to train on.
        starts: The starting weights of each member.
        steps: How many updates to make.

    Returns:
        The prepared run.
    """
    return _jax_run(task, starts, steps, None)


def jax_vmap_scan(
    task: Task, starts: Starts, steps: int, chunk: int | None = None
) -> Run:
    """Prepare JAX with the training of a chunk of members compiled into one loop.

    Args:
        task: What to train on.
        starts: The starting weights of each member.
        steps: How many updates to make.
        chunk: How many members to train at once; None for the fastest of `JAX_CHUNKS`
            in a short trial.

    Returns:
        The prepared run.
    """
    if chunk is None:
        chunk = best_chunk(jax_vmap_scan, task, starts, JAX_CHUNKS, min(steps, 100))
    return _jax_run(task, starts, steps, chunk)


def _jax_run(task: Task, starts: Starts, steps: int, chunk: int | None) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)
    x, y = map(jax.numpy.asarray, task.data())
    rows = jax.tree.map(jax.numpy.asarray, task.rows(steps))  # None stays None
    gradient = jax.grad(_jax_loss(task))

    def train_one(layers: Any, x: Any, y: Any, rows: Any) -> Any:
        def step(layers: Any, row: Any) -> tuple[Any, None]:
            batch = (x, y) if row is None else (x[row], y[row])
            slopes = gradient(layers, *batch)
            updated = jax.tree.map(
                lambda parameter, slope: parameter - task.learning_rate * slope,
                layers,
                slopes,
            )
            return updated, None

        return jax.lax.scan(step, layers, rows, length=steps)[0]

    if chunk is None:
        stacked = [_stack(task, [start], squeeze=True) for start in starts]
        function = train_one
    else:
        stacked = [_stack(task, members) for members in _chunks(starts, chunk)]
        function = jax.vmap(train_one, in_axes=(0, None, None, None))
    compiled = {
        part[0][0].shape: jax.jit(function).lower(part, x, y, rows).compile()
        for part in _distinct(stacked, key=lambda part: part[0][0].shape)
    }

    def train() -> Starts:
        # Parts are only waited for together: JAX runs some of them side by side.
        trained = [compiled[part[0][0].shape](part, x, y, rows) for part in stacked]
        trained = [[(np.asarray(w), np.asarray(b)) for w, b in p] for p in trained]
        if chunk is None:
            return trained
        return [layers for part in trained for layers in _unstack(part)]

    return Run(train, task, steps, chunk=chunk)


def _jax_loss(task: Task) -> Callable[[Any, Any, Any], Any]:
    import jax
    from jax import numpy as jnp

    activate = jax.nn.relu if task.activation == "relu" else jnp.tanh

    def loss(layers: Any, x: Any, y: Any) -> Any:
        z = x
        for index, (weights, biases) in enumerate(layers):
            z = (z if index == 0 else activate(z)) @ weights.T + biases
        if task.loss == "softmax_cross_entropy":
            total = -jnp.sum(y * jax.nn.log_softmax(z))
        else:
            total = jnp.sum(jnp.logaddexp(0, z) - y * z)
        return total / x.shape[0]

    return loss


# --- Chunks of members ------------------------------------------------------------


def best_chunk(
    peer: Callable[[Task, Starts, int, int], Run],
    task: Task,
    starts: Starts,
    candidates: Sequence[int],
    steps: int,
) -> int:
    """Return the chunk with the least time per member in a short trial.

    Each candidate trains at least one chunk and `TRIAL_MEMBERS` members per thread,
    once to warm up, and its fastest of three runs counts. Chunks larger than the
    ensemble are left out.

    Args:
        peer: The peer, with the chunk as its last argument.
        task: What to train on.
        starts: The starting weights of each member.
        candidates: The chunks to try.
        steps: How many updates a trial makes.

    Returns:
        The best of the candidates.
    """
    fitting = [chunk for chunk in candidates if chunk <= len(starts)]
    if len(fitting) < 2:
        return fitting[0] if fitting else min(candidates)
    times = {}
    for chunk in fitting:
        members = starts[: max(chunk, TRIAL_MEMBERS) * task.threads]
        train = peer(task, members, steps, chunk).train
        train()
        times[chunk] = min(_seconds(train) for _ in range(3)) / len(members)
    return min(times, key=times.__getitem__)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _chunks(starts: Starts, chunk: int) -> list[Starts]:
    return [starts[first : first + chunk] for first in range(0, len(starts), chunk)]


def _distinct(parts: Sequence[Any], key: Callable[[Any], Any] = len) -> list[Any]:
    return list({key(part): part for part in parts}.values())


def _stack(task: Task, members: Starts, squeeze: bool = False) -> Layers:
    stacked = [
        (
            np.stack([weights for weights, _ in layer]).astype(task.dtype),
            np.stack([biases for _, biases in layer]).astype(task.dtype),
        )
        for layer in zip(*members, strict=True)
    ]
    return [(w[0], b[0]) for w, b in stacked] if squeeze else stacked


def _unstack(layers: Layers) -> Starts:
    count = len(layers[0][0])
    return [[(w[member], b[member]) for w, b in layers] for member in range(count)]


PEERS: dict[str, Peer] = {
    "lesson_loop": lesson_loop,
    "sklearn_alone": sklearn_alone,
    "sklearn_joblib": sklearn_joblib,
    "torch_eager": torch_eager,
    "torch_vmap": torch_vmap,
    "jax_scan": jax_scan,
    "jax_vmap_scan": jax_vmap_scan,
}
