"""Results as people read them: on the screen as each part ends, and all together in ``results.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from benchmarks.result import Bar, Result


def part_text(result: Result, *, level: int = 2) -> str:
    """One part: its tables, its bars, and what has to be said of them."""
    pieces = [f"{'#' * level} {result.title}"]
    for table in result.tables:
        pieces += [table.title, _table(table.head, table.rows)] if table.rows else []
    if result.bars:
        pieces.append(_bars(result.bars))
    pieces += result.notes
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def whole_page(results: Sequence[Result], *, chart: str | None) -> str:
    """Every part, below the verdicts in short."""
    newest = max(results, key=lambda result: result.at)
    named = ", ".join(f"{name} {number}" for name, number in newest.versions.items())
    pieces = [
        "# Benchmark",
        f"{newest.machine}; {named}. What is measured, and how, is in [README.md](README.md).",
        *([f"![Orders per second, and memory]({chart})"] if chart else []),
        "## In short",
        _bars(chain.from_iterable(result.bars for result in results)),
    ]
    for result in results:
        when = f"Measured {result.at}" + (f", {result.sizes}." if result.sizes else ".")
        differs = [] if result.machine == newest.machine else [f"On another machine: {result.machine}."]
        pieces += [part_text(result).rstrip(), " ".join([when, *differs])]
    return "\n\n".join(pieces) + "\n"


def _bars(bars: Iterable[Bar]) -> str:
    return _table(("bar", "found", ""), [(bar.promise, bar.found, bar.verdict) for bar in bars])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])
