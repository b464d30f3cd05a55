"""Where parts work: sizes, folders, and loads that several parts look at, each made once in a run of the benchmark."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from benchmarks.measure import Measured, clean_environment, measure, size
from benchmarks.period import Period
from benchmarks.pipeline import Backfill, backfill
from benchmarks.serving import Server, Wanted, Watched, serving
from sitoo_pipeline.sitoo import RESOURCES


class DisagreementError(RuntimeError):
    """Two sides did not load the same: none of their figures mean anything."""


@dataclass(frozen=True)
class Sizes:
    """How much is loaded. ``tiny`` is for what needs an account, but no large one."""

    tiny: int = 20_000
    least: int = 50_000
    small: int = 200_000
    large: int = 1_000_000
    days: int = 30
    per_day: int = 3_000
    year: int = 365
    repeats: int = 3

    @property
    def in_words(self) -> str:
        """For the page."""
        return f"{self.small:,} and {self.large:,} orders in {self.days} days"


QUICK = Sizes(tiny=2_000, least=5_000, small=10_000, large=30_000, days=10, per_day=300, year=40, repeats=1)


@dataclass(frozen=True)
class Script:
    """What a script beside the pipeline took, by its own stages, and what it loaded."""

    measured: Measured
    watched: Watched
    stages: dict[str, float]
    orders: int
    lines: int
    gross: Decimal
    disk: int
    said: dict[str, object]


@dataclass
class Workshop:
    """One run of the benchmark.

    Attributes:
        folder: Everything is kept below it while the benchmark runs.
        sizes: How much is loaded.
        dlt_python: A Python that has dlt; None where there is none.
    """

    folder: Path
    sizes: Sizes = field(default_factory=Sizes)
    dlt_python: str | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _serving: tuple[int, Period] | None = None
    _server: Server | None = None
    _loads: dict[tuple[int, int, bool], list[Backfill]] = field(default_factory=dict)
    _scripts: dict[tuple[str, int, int], list[Script]] = field(default_factory=dict)
    _numbers: int = 0

    def server(self, orders: int, period: Period) -> Server:
        """The server for an account; the one before it is stopped."""
        if self._serving != (orders, period) or self._server is None:
            self._stack.close()
            say(f"preparing the pages of {orders:,} orders in {period.days} days")
            self._server = self._stack.enter_context(
                serving(
                    Wanted.of(
                        orders,
                        period,
                        users=(1, 3) if orders == self.sizes.small else (1,),
                        for_scripts=period.days == self.sizes.days,
                    )
                )
            )
            self._serving = orders, period
        return self._server

    def close(self) -> None:
        """Stop the server."""
        self._stack.close()

    def new_folder(self, name: str) -> Path:
        """A folder that does not exist yet, below one that does."""
        self._numbers += 1
        return self.folder / f"{self._numbers:02d}_{name}"

    def load(self, orders: int, days: int, *, sinks: bool = False, times: int = 1) -> list[Backfill]:
        """Backfills of ``orders`` over ``days`` into an empty account: those that there are, and more up to ``times``.

        Only the last one keeps its warehouse.
        """
        found = self._loads.setdefault((orders, days, sinks), [])
        period = Period.of(days)
        while len(found) < times:
            server = self.server(orders, period)
            if found:
                shutil.rmtree(found[-1].folder)
            say(f"backfill of {orders:,} orders in {days} days{', with deliveries' if sinks else ''}")
            found.append(backfill(server=server, period=period, folder=self.new_folder("pipeline"), sinks=sinks))
            say_measured(found[-1].measured)
        return found

    def script(self, way: str, orders: int, days: int, *, times: int = 1) -> list[Script]:
        """Runs of ``floor``, or of dlt's ``default`` or ``tuned`` way, as ``load``."""
        found = self._scripts.setdefault((way, orders, days), [])
        period = Period.of(days)
        while len(found) < times:
            server = self.server(orders, period)
            say(f"{way} of {orders:,} orders in {days} days")
            folder = self.new_folder(way)
            folder.mkdir(parents=True)
            found.append(self._run(way, server, period, folder))
            shutil.rmtree(folder)
            say_measured(found[-1].measured)
        return found

    def _run(self, way: str, server: Server, period: Period, folder: Path) -> Script:
        command = [sys.executable, "-m", "benchmarks.floor", server.url, *period.arguments, str(folder)]
        if way != "floor":
            fields = ",".join(RESOURCES["orders"].fields or ())
            command = [str(self.dlt_python), "-m", "benchmarks.dlt_script", way, server.url, *period.arguments]
            command += [fields, str(folder)]
        server.watch()
        measured = measure(command, cwd=folder, environ=clean_environment())
        said = json.loads(measured.output.strip().splitlines()[-1])
        return Script(
            measured=measured,
            watched=server.watch(),
            stages=said.pop("stages"),
            orders=said.pop("orders"),
            lines=said.pop("lines"),
            gross=Decimal(said.pop("gross")),
            disk=sum(size(file) for file in folder.glob("*.duckdb")),
            said=said,
        )


def agree(one: Script, other: Script | Backfill) -> None:
    """Check that two sides loaded the same.

    Raises:
        DisagreementError: orders or amounts differ.
    """
    if (other.orders, other.gross) != (one.orders, one.gross):
        raise DisagreementError(f"{one.orders} orders and {one.gross} here, {other.orders} and {other.gross} there")


@contextmanager
def workshop(folder: Path, sizes: Sizes, dlt_python: str | None) -> Iterator[Workshop]:
    """A workshop until the end of the block."""
    found = Workshop(folder.absolute(), sizes, dlt_python)
    try:
        yield found
    finally:
        found.close()


def python_with_dlt(wanted: str | None) -> str | None:
    """``wanted``, or else this Python, where it has dlt."""
    if wanted is None:
        return sys.executable if importlib.util.find_spec("dlt") else None
    asked = [wanted, "-c", "import dlt, duckdb, pyarrow"]
    return wanted if subprocess.run(asked, capture_output=True, check=False).returncode == 0 else None


def say(text: str) -> None:
    """A line about what is done now."""
    print(f"... {text}", flush=True)


def say_measured(measured: Measured) -> None:
    """What came of it."""
    memory = "" if measured.peak_memory is None else f", {measured.peak_memory / 1e6:,.0f} MB"
    print(f"    {measured.seconds:.1f} s, {measured.cpu_seconds:.1f} processor seconds{memory}", flush=True)
