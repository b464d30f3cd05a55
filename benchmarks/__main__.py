"""The command: loads the same orders by the pipeline and by the floor, and prints how they compare."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.comparison import compare
from benchmarks.period import Period
from benchmarks.report import as_markdown

RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000, help="about how many orders")
    parser.add_argument("--days", type=int, default=30, help="over how many days")
    parser.add_argument("--write", action="store_true", help=f"write the figures to benchmarks/{RESULTS.name}")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep what was loaded in this new folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark") as temporary:
        folder = (asked.keep or Path(temporary)).absolute()
        text = as_markdown(compare(orders=asked.orders, period=Period.of(asked.days), folder=folder))
    print(text)
    if asked.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
