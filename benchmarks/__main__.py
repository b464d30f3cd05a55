"""The command: every part of the benchmark, or some of them, one after the other on this machine."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import command_line, deliver, end_to_end, growth, requests, stages
from benchmarks.chart import draw
from benchmarks.page import part_text, whole_page
from benchmarks.result import Result
from benchmarks.workshop import QUICK, Sizes, Workshop, python_with_dlt, workshop

PAGE = Path(__file__).with_name("results.md")

PARTS: dict[str, Callable[[Workshop], Result]] = {
    command_line.PART: command_line.command_line,
    end_to_end.PART: end_to_end.end_to_end,
    stages.PART: stages.stages,
    growth.PART: growth.growth,
    requests.PART: requests.requests,
    deliver.PART: deliver.deliver_part,
}
"""In the order in which they run: parts that look at the same loads follow each other."""

_ON_THE_PAGE = (end_to_end.PART, stages.PART, growth.PART, requests.PART, deliver.PART, command_line.PART)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print and keep what was asked for."""
    asked = _parser().parse_args(arguments)
    sizes = QUICK if asked.quick else Sizes()
    if asked.orders:
        sizes = replace(sizes, small=min(asked.orders), large=max(asked.orders))
    if asked.days:
        sizes = replace(sizes, days=asked.days)
    is_kept = asked.write if asked.write is not None else sizes == Sizes()
    if not asked.page_only:
        with tempfile.TemporaryDirectory(prefix="benchmark", dir=asked.folder, ignore_cleanup_errors=True) as folder:
            run(asked.only or list(PARTS), Path(folder), sizes, python_with_dlt(asked.dlt_python), is_kept=is_kept)
    if is_kept or asked.page_only:
        write_page()
    else:
        print("Nothing was written: results.md has the default sizes only, unless --write says otherwise.")


def run(parts: Sequence[str], folder: Path, sizes: Sizes, dlt: str | None, *, is_kept: bool) -> list[Result]:
    """Run parts, print each when it ends, and keep its result."""
    found = []
    with workshop(folder, sizes, dlt) as place:
        for part in PARTS:
            if part in parts:
                result = PARTS[part](place)
                print(f"\n{part_text(result)}", flush=True)
                found.append(result)
                if is_kept:
                    result.save()
    return found


def write_page() -> None:
    """Make ``results.md`` and its chart of every part's last result."""
    results = [result for part in _ON_THE_PAGE if (result := Result.load(part))]
    if results:
        PAGE.write_text(whole_page(results, chart=draw(results)), encoding="utf-8")
        print(f"Written: {PAGE}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--orders", nargs="+", type=int, metavar="N", help="the small and the large number of orders")
    parser.add_argument("--days", type=int, help="over how many days")
    parser.add_argument("--quick", action="store_true", help="everything in small: to see that it works, not how fast")
    parser.add_argument("--dlt-python", metavar="FILE", help="a Python that has dlt; this one without it")
    parser.add_argument("--folder", type=Path, help="where to work; the system's folder for such things without it")
    parser.add_argument("--write", action=argparse.BooleanOptionalAction, help="keep the results, whatever the sizes")
    parser.add_argument("--page-only", action="store_true", help="measure nothing; make the page of what was kept")
    return parser


if __name__ == "__main__":
    main()
