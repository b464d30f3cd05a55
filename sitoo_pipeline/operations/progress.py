"""What a person sees of long work: how far it is, what it waits for, how long it will take, and what each stage took.

On a terminal that is one line that moves; elsewhere a line for each stage, and now and then one while a stage lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.console import span
from sitoo_pipeline.operations.stages import STAGES
from sitoo_pipeline.operations.stages import Progress as Report

_DOING = {
    "reference": "stores and registers",
    "extract": "fetching from Sitoo",
    "transform": "computing",
    "deliver": "delivering",
    "publish": "publishing the read copy",
}
_REDRAW_SECONDS = 0.5
_LINE_SECONDS = 30.0
"""How often plain output says how far it is."""

_HEAVY = {"raw.orders": 10}
"""How much longer than others a step takes; for the time left, which is a guess anyhow."""
_TOO_EARLY = (10.0, 0.03)
"""Before so many seconds and such a part of the work, nothing is said of the time left."""


@contextmanager
def progress(
    console: Console,
    runtime: Runtime,
    steps: Sequence[str],
    dates: int,
    *,
    verbose: bool = False,
    line_seconds: float = _LINE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Report]:
    """Show one account's work as it is done.

    Args:
        console: Where to.
        runtime: The account at work.
        steps: The steps through which each date goes.
        dates: How many dates go through them.
        verbose: Other lines go between, so nothing is drawn over.
        line_seconds: How often plain output says how far it is.
        clock: Tells seconds.

    Yields:
        What has to be called when a stage begins with some dates.
    """
    work = _Work(runtime, steps, dates, clock)
    show = _bar if console.is_terminal and not verbose else _lines
    with show(console, work, line_seconds) as report:
        yield report
    work.enter("")
    console.print(f"{work.account}: {work.times}")


class _Work:
    """What is at work, how far it is, and how long its stages took."""

    def __init__(self, runtime: Runtime, steps: Sequence[str], dates: int, clock: Callable[[], float]) -> None:
        self.account = runtime.account.name
        self._runtime = runtime
        self._steps = tuple(steps)
        self._dates = dates
        self._before = runtime.activity.done.copy()
        self._seconds: dict[str, float] = {}
        self._stage = ""
        self._clock = clock
        self._began = self._since = clock()

    def enter(self, stage: str) -> None:
        """Another stage begins."""
        now = self._clock()
        if self._stage:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    @property
    def times(self) -> str:
        """Seconds of all stages, in the order in which they were first entered."""
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in self._seconds.items())
        return f"{sum(self._seconds.values()):.1f} s: {stages}"

    @property
    def doing(self) -> str:
        """The stage, and the step of it that dates are in."""
        activity = self._runtime.activity
        named = f" ({activity.step})" if self._stage in STAGES and activity.step else ""
        return f"{self.account}: {_DOING.get(self._stage, self._stage)}{named}"

    @property
    def part(self) -> float:
        """How much of the work is done, from 0 to 1."""
        done = self._runtime.activity.done
        weights: Mapping[str, int] = {step: _HEAVY.get(step, 1) for step in self._steps}
        # A date that is done a second time, because one beside it failed, is no further work.
        counted = sum(weight * min(self._dates, done[step] - self._before[step]) for step, weight in weights.items())
        return counted / max(1, self._dates * sum(weights.values()))

    def figures(self) -> list[str]:
        """What is known besides: days, orders and requests, what is waited for, how long it took and may take."""
        activity, elapsed, part = self._runtime.activity, self._clock() - self._began, self.part
        figures = []
        if self._stage in STAGES and activity.step:
            days = min(self._dates, activity.done[activity.step] - self._before[activity.step])
            figures.append(f"{days} of {self._dates} days")
        figures.append(f"{activity.orders:,} orders, {activity.requests:,} requests")
        if waits := self._runtime.warehouse.waiting_for or activity.waiting_for:
            figures.append(f"waiting for {waits}")
        figures.append(_clock(elapsed))
        if elapsed >= _TOO_EARLY[0] and part >= _TOO_EARLY[1]:
            figures.append(f"about {_clock(elapsed * (1 - part) / part)} left")
        return figures


@contextmanager
def _lines(console: Console, work: _Work, seconds: float) -> Iterator[Report]:
    def report(stage: str, at: Sequence[date]) -> None:
        work.enter(stage)
        console.print(f"{work.account}: {_DOING[stage]}{', ' + span(at) if at else ''}")

    with _every(seconds, lambda: console.print(f"{work.doing}: {'; '.join(work.figures())}")):
        yield report


@contextmanager
def _bar(console: Console, work: _Work, _: float) -> Iterator[Report]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(work.account, total=1.0, said="")

        def draw() -> None:
            bar.update(task, description=work.doing, completed=work.part, said="; ".join(work.figures()))

        def report(stage: str, at: Sequence[date]) -> None:
            work.enter(stage)
            draw()

        with _every(_REDRAW_SECONDS, draw):
            yield report


@contextmanager
def _every(seconds: float, do: Callable[[], None]) -> Iterator[None]:
    """Do something now and then, in a thread, until the end of the block."""
    over = Event()

    def run() -> None:
        while not over.wait(seconds):
            do()

    thread = Thread(target=run, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _clock(seconds: float) -> str:
    """``0:42`` or ``1:02:03``."""
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:").removeprefix("0") if text.startswith("0:0") else text.removeprefix("0:")
