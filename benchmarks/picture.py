"""Draw docs/pictures/performance.png from the tables in docs/performance.md."""

import re
from pathlib import Path

from matplotlib.figure import Figure

DOCS = Path(__file__).parent.parent / "docs"
LINE = re.compile(
    r"^\| (\w+) \| (\w+) \| (\d) \| (\w+) \| ([\d.]+) \| ([\d.]+) \|", re.M
)
NAMES = {
    "lesson_loop": "the lesson's NumPy loop",
    "torch_eager": "PyTorch, one network",
    "torch_vmap": "torch.func.vmap, best batch",
    "jax_scan": "JAX jit + scan, one network",
    "jax_vmap_scan": "JAX vmap + scan, best chunk",
    "ours": "initlab",
}


def main() -> None:
    found = LINE.findall((DOCS / "performance.md").read_text())
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, precision in zip(axes, ("float64", "float32"), strict=True):
        lines = [
            (tool, float(its), float(mine))
            for case, kind, threads, tool, its, mine in found
            if (case, kind, threads) == ("lesson", precision, "1")
        ]
        times = {tool: its for tool, its, _ in lines} | {"ours": lines[0][2]}
        order = sorted(NAMES, key=times.__getitem__, reverse=True)
        colors = ["C1" if tool == "ours" else "0.7" for tool in order]
        bars = axis.barh(
            [NAMES[tool] for tool in order],
            [times[tool] for tool in order],
            color=colors,
        )
        axis.bar_label(bars, fmt="%.3g", padding=3)
        axis.set(
            xscale="log", title=precision, xlabel="microseconds per network and step",
            xlim=(0.3, 4 * max(times.values())),
        )  # fmt: skip
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("2-10-5-1, 300 examples, full batch, one thread")
    figure.savefig(DOCS / "pictures" / "performance.png", dpi=110)


if __name__ == "__main__":
    main()
