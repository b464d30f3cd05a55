"""What a person sees of long work: a progress bar on a terminal, plain lines elsewhere, and what each stage took."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from io import UnsupportedOperation
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sitoo_pipeline.operations.stages import STAGES
from sitoo_pipeline.operations.stages import Progress as Report

_DOING = {
    "reference": "stores and registers",
    "extract": "fetching from Sitoo",
    "transform": "computing",
    "deliver": "delivering",
    "publish": "publishing the read copy",
}


def standard_output() -> TextIO:
    """Standard output as it is now. While a step runs, Dagster turns the descriptor 1 to a file of its own."""
    try:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", 1, encoding=sys.stdout.encoding, errors="replace")
    except UnsupportedOperation:  # something that only looks like a file, as in tests
        return sys.stdout


def make_console() -> Console:
    """The console of a command. Lines are as long as their text, so that they can be copied."""
    return Console(file=standard_output(), soft_wrap=True, highlight=False, markup=False)


def span(dates: Sequence[date]) -> str:
    """``2026-03-01`` or ``2026-03-01 to 2026-03-31``."""
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"


def spans(dates: Sequence[date]) -> list[list[date]]:
    """``dates`` in order, in pieces without a gap."""
    pieces: list[list[date]] = []
    for day in sorted(dates):
        if pieces and day - pieces[-1][-1] == timedelta(days=1):
            pieces[-1].append(day)
        else:
            pieces.append([day])
    return pieces


class _Stopwatch:
    """Seconds per stage, in the order in which the stages were first entered."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._stage = ""
        self._since = time.monotonic()

    def enter(self, stage: str) -> None:
        now = time.monotonic()
        if self._stage:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def __str__(self) -> str:
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self._seconds.items())
        return f"{sum(self._seconds.values()):.1f} s: {stages}"


@contextmanager
def progress(console: Console, account: str, dates: int, *, verbose: bool = False) -> Iterator[Report]:
    """Show the stages of one account's dates as they are worked on; with ``verbose``, other lines go between."""
    watch = _Stopwatch()
    if console.is_terminal and not verbose:
        with _bar(console, account, dates, watch) as report:
            yield report
    else:

        def line(stage: str, at: Sequence[date]) -> None:
            watch.enter(stage)
            console.print(f"{account}: {_DOING[stage]}{', ' + span(at) if at else ''}")

        yield line
    watch.enter("")
    console.print(f"{account}: {watch}")


@contextmanager
def _bar(console: Console, account: str, dates: int, watch: _Stopwatch) -> Iterator[Report]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(account, total=dates * len(STAGES), at="")
        at_work = 0

        def report(stage: str, at: Sequence[date]) -> None:
            nonlocal at_work
            watch.enter(stage)
            bar.advance(task, at_work)
            at_work = len(at)
            bar.update(task, description=f"{account}: {_DOING[stage]}", at=span(at) if at else "")

        yield report
