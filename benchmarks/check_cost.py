"""What `pytorch.check` costs beside one training step with Adam: time and memory.

A step clears gradients, runs the model and a cross-entropy forward and back, and lets
Adam update. Both are measured in turn in one process; memory in a process each, above
what the model and its batch take. Writes docs/check-cost.md.

    python benchmarks/check_cost.py [--runs 9]
"""

import argparse
import datetime
import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from initlab import pytorch

PAGE = Path(__file__).parents[1] / "docs" / "check-cost.md"
WORDS, CLASSES = 1000, 10
MIB = 2**20


def mlp(inputs: int, width: int, hidden: int) -> nn.Module:
    """Return hidden layers of one width, with ReLU."""
    sizes = [inputs, *[width] * hidden]
    layers = [
        layer
        for fan_in, fan_out in itertools.pairwise(sizes)
        for layer in (nn.Linear(fan_in, fan_out), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


class Block(nn.Module):
    """Two convolutions with batch norm beside a skip (He et al., 2016)."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        stride = 1 if inputs == width else 2
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.skip = nn.Identity() if stride == 1 else nn.Conv2d(inputs, width, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.branch(x) + self.skip(x))


def resnet(widths: tuple[int, ...], blocks: int) -> nn.Module:
    """Return a stem, as many blocks of each width, and a head."""
    stem = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(widths[0]), nn.ReLU()]
    inputs = widths[0]
    for width in widths:
        for _ in range(blocks):
            layers.append(Block(inputs, width))
            inputs = width
    head = nn.Linear(inputs, CLASSES)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


class Transformer(nn.Module):
    """A causal language model of pre-norm blocks."""

    def __init__(self, width: int, layers: int, length: int):
        super().__init__()
        self.words = nn.Embedding(WORDS, width)
        self.places = nn.Parameter(torch.randn(length, width) * 0.02)
        block = nn.TransformerEncoderLayer(
            width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, layers, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, WORDS)
        nn.init.normal_(self.words.weight, std=0.02)

    def forward(self, words: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(words.shape[1])
        x = self.blocks(self.words(words) + self.places, mask=mask, is_causal=True)
        return self.head(self.norm(x))


class Recurrent(nn.Module):
    """A language model of two LSTM layers."""

    def __init__(self, width: int):
        super().__init__()
        self.words = nn.Embedding(WORDS, width)
        self.cells = nn.LSTM(width, 2 * width, 2, batch_first=True)
        self.head = nn.Linear(2 * width, WORDS)

    def forward(self, words: Tensor) -> Tensor:
        return self.head(self.cells(self.words(words))[0])


def words(*shape: int) -> Tensor:
    """Return token ids."""
    return torch.randint(0, WORDS, shape)


# By what the table calls them: the model and its batch.
TRAININGS: dict[str, Callable[[], tuple[nn.Module, Tensor]]] = {
    "MLP, 2 of 32, batch 32": lambda: (mlp(784, 32, 2), torch.randn(32, 784)),
    "MLP, 12 of 64, batch 64": lambda: (mlp(784, 64, 12), torch.randn(64, 784)),
    "MLP, 2 of 256, batch 128": lambda: (mlp(784, 256, 2), torch.randn(128, 784)),
    "MLP, 4 of 1024, batch 512": lambda: (mlp(784, 1024, 4), torch.randn(512, 784)),
    "LSTM, 2 of 256, 8 x 32 words": lambda: (Recurrent(128), words(8, 32)),
    "transformer, 12 of 128, 2 x 64 words": lambda: (
        Transformer(128, 12, 64), words(2, 64)),
    "transformer, 6 of 256, 8 x 64 words": lambda: (
        Transformer(256, 6, 64), words(8, 64)),
    "ResNet-18, 2 x 32 x 32 pixels": lambda: (
        resnet((64, 128, 256, 512), 2), torch.randn(2, 3, 32, 32)),
    "ResNet-56 of 16 to 64, 8 x 32 x 32 pixels": lambda: (
        resnet((16, 32, 64), 9), torch.randn(8, 3, 32, 32)),
    "ResNet-18, 16 x 32 x 32 pixels": lambda: (
        resnet((64, 128, 256, 512), 2), torch.randn(16, 3, 32, 32)),
}  # fmt: skip


def made(name: str) -> tuple[nn.Module, Tensor]:
    """Return a training's model and batch."""
    torch.manual_seed(0)
    return TRAININGS[name]()


def labels_of(model: nn.Module, batch: Tensor) -> Tensor:
    """Return a random class for every vector of outputs."""
    with torch.no_grad():
        shape = model(batch).shape
    return torch.randint(0, shape[-1], shape[:-1])


def step_of(model: nn.Module, batch: Tensor) -> Callable[[], object]:
    """Return one training step."""
    optimizer = torch.optim.Adam(model.parameters())
    labels = labels_of(model, batch).flatten()

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(batch).flatten(0, -2), labels).backward()
        optimizer.step()

    return step


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def times(name: str, runs: int) -> np.ndarray:
    """Return the seconds of a step, a check, and one with labels; a row per run.

    Of three steps in a row the fastest one counts.
    """
    model, batch = made(name)
    labels, step = labels_of(model, batch), step_of(*made(name))
    actions = (
        step,
        lambda: pytorch.check(model, batch),
        lambda: pytorch.check(model, batch, targets=labels),
    )
    for action in actions * 2:
        action()
    return np.array([
        [min(seconds(step) for _ in range(3)), *map(seconds, actions[1:])]
        for _ in range(runs)
    ])  # fmt: skip


def peak(name: str, action: str) -> None:
    """Print the most bytes that an action adds to the process (Linux)."""
    small = nn.Linear(2, 2), torch.randn(4, 2)
    step_of(*small)(), pytorch.check(*small)  # what is loaded once
    model, batch = made(name)
    labels, act = labels_of(model, batch), step_of(model, batch)
    # The highest so far is that of imports, and is set back to what is held now.
    Path("/proc/self/clear_refs").write_text("5")
    held = _high()
    if action == "check":
        pytorch.check(model, batch, targets=labels)
    else:
        act()
    parameters = sum(p.numel() * p.element_size() for p in model.parameters())
    print(_high() - held, parameters)


def _high() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) * 1024 for one in lines if one.startswith("VmHWM"))


def memory(name: str, action: str) -> tuple[float, float]:
    """Return the bytes that an action adds at most, and those of the parameters."""
    command = [sys.executable, __file__, "--peak", name, action]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    added, parameters = map(float, done.stdout.split())
    return added, parameters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        peak(*asked.peak)
        return
    rows = []
    for name in TRAININGS:
        measured = times(name, asked.runs)
        step, check, _ = 1e3 * np.median(measured, axis=0)
        plain, labelled = map(ratio, (measured[:, 1:] / measured[:, :1]).T)
        step_bytes, own = memory(name, "step")
        check_bytes, _ = memory(name, "check")
        sizes = (step_bytes, check_bytes, 1.2 * step_bytes + own)
        cells = (
            name, f"{step:.1f} ms", f"{check:.0f} ms", plain, labelled,
            *(f"{size / MIB:.0f} MiB" for size in sizes),
        )  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1], flush=True)
    PAGE.write_text(page(rows, asked.runs), encoding="utf-8")


def ratio(found: np.ndarray) -> str:
    """Return the median of ratios, and their range."""
    return f"{np.median(found):.1f} ({found.min():.1f} to {found.max():.1f})"


def page(rows: list[str], runs: int) -> str:
    """Return the page of a table."""
    table = "\n".join(rows)
    return f"""# What a check costs

Made by `python benchmarks/check_cost.py` on {datetime.date.today()},
torch {torch.__version__}, {torch.get_num_threads()} threads:
`pytorch.check(model, batch)`, and with `targets=labels`, which takes one more way back,
beside one training step with Adam, by turns in one process; the median of {runs}, and
the range of ratios. Memory is what a step and a check with labels add at most to a
process that holds the model and its batch; allowed are 1.2 times a step's, and one
copy of the parameters.

| training | step | check | of a step | with labels | step adds | check adds | allowed |
|---|---|---|---|---|---|---|---|
{table}

A check is one or two passes, some 8 ms, and 1 to 2 ms for every layer, most of it
Python's: beside steps of a few milliseconds that is what counts. So it is with memory:
the tensors that are held are a step's and the copy, and some 10 MiB are Python's and
its allocator's, which counts beside steps that need little.
"""


if __name__ == "__main__":
    main()
