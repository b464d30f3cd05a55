"""The chart: orders per second and peak memory of each side, drawn where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.end_to_end import PART
from benchmarks.result import Result

FILE = Path(__file__).with_name("results.svg")
_COLOURS = {"pipeline, to the marts": "#1b7837", "pipeline, to SQL and CSV": "#5aae61", "floor": "#bababa"}


def draw(results: Sequence[Result], file: Path = FILE) -> str | None:
    """Draw the end-to-end part; the file's name, or None where there is nothing to draw it from or with."""
    found = next((result.figures for result in results if result.part == PART), None)
    if found is None:
        return None
    try:
        import matplotlib as mpl
    except ImportError:
        return None
    mpl.use("svg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "benchmark"  # the same figures give the same file
    from matplotlib import pyplot as plt

    sizes = [size for size in ("small", "large") if size in found]
    figure, axes = plt.subplots(len(sizes), 2, figsize=(10, 1.2 + 2 * len(sizes)), squeeze=False)
    for row, size in enumerate(sizes):
        sides = {name: said for name, said in found[size].items() if "seconds" in said}
        names = list(sides)[::-1]
        orders = max(said["seconds"] * said["orders_per_second"] for said in sides.values())
        for axis, key, scale, title in (
            (axes[row][0], "orders_per_second", 1, "orders per second"),
            (axes[row][1], "peak_memory", 1e6, "peak memory, MB"),
        ):
            bars = axis.barh(
                names, [sides[name][key] / scale for name in names], color=[_COLOURS.get(n, "#c2a5cf") for n in names]
            )
            axis.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8)
            axis.set_title(f"{title}, {orders:,.0f} orders", fontsize=9, loc="left")
            axis.spines[["top", "right", "bottom"]].set_visible(False)
            axis.set_xticks([])
            axis.margins(x=0.15)
            axis.tick_params(axis="y", labelsize=8, length=0)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return file.name
