"""What a person sees of long work: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sitoo_pipeline.operations.execution import STAGES
from sitoo_pipeline.operations.execution import Progress as Report

_DOING = {
    "reference": "stores and registers",
    "extract": "fetching from Sitoo",
    "transform": "computing",
    "deliver": "delivering",
    "publish": "publishing the read copy",
}


def span(dates: Sequence[date]) -> str:
    """``2026-03-01`` or ``2026-03-01 to 2026-03-31``."""
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"


@contextmanager
def progress(console: Console, account: str, dates: int) -> Iterator[Report]:
    """Show the stages of one account's dates as they are worked on."""
    if not console.is_terminal:
        yield lambda stage, at: console.print(
            f"{account}: {_DOING[stage]}{' ' + span(at) if at else ''}", highlight=False
        )
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(account, total=dates * len(STAGES), at="")
        waiting: list[int] = [0]

        def report(stage: str, at: Sequence[date]) -> None:
            bar.advance(task, waiting[0])
            waiting[0] = len(at)
            bar.update(task, description=f"{account}: {_DOING[stage]}", at=span(at) if at else "")

        yield report
