"""Both sides over the same server in one run, and the check that they loaded the same."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from benchmarks.measure import Measured, clean_environment, measure
from benchmarks.period import Period
from benchmarks.pipeline import Backfill, backfill
from benchmarks.server import Server, serving

WAYS = {"to the marts": False, "to SQL and CSV": True}
"""How far a backfill goes: whether it delivers."""


class DisagreementError(RuntimeError):
    """The two sides did not load the same: none of their figures mean anything."""


@dataclass(frozen=True)
class Floor:
    """What the floor took, by its own stages, and what it loaded."""

    measured: Measured
    requests: Counter[str]
    stages: dict[str, float]
    json_bytes: int
    orders: int
    lines: int
    gross: Decimal


@dataclass(frozen=True)
class Comparison:
    """The figures of one run of the benchmark: the floor, and a backfill for each of ``WAYS`` that was asked for."""

    period: Period
    floor: Floor
    backfills: dict[str, Backfill]


def compare(
    *, orders: int, period: Period, folder: Path, ways: Iterable[str] = tuple(WAYS), rehearse: bool = True
) -> Comparison:
    """Measure the floor and backfills of the same orders, all with one API user.

    Args:
        orders: About how many orders the period has.
        period: The dates to load.
        folder: Where everything is kept; made here.
        ways: How far the backfills go, some of ``WAYS``.
        rehearse: Run both sides once without measuring, so that the server has made every answer.

    Raises:
        DisagreementError: orders or amounts differ.
    """
    with serving(orders, period) as server:
        if rehearse:
            _floor(server, period, folder / "rehearsal" / "floor")
            backfill(server=server, period=period, folder=folder / "rehearsal" / "pipeline", sinks=False)
        floor = _floor(server, period, folder / "floor")
        backfills: dict[str, Backfill] = {}
        for number, way in enumerate(ways):
            into = folder / f"pipeline_{number}"
            backfills[way] = backfill(server=server, period=period, folder=into, sinks=WAYS[way])
            agree(floor, backfills[way])
    return Comparison(period, floor, backfills)


def agree(floor: Floor, loaded: Backfill) -> None:
    """Check that both sides loaded the same.

    Raises:
        DisagreementError: orders or amounts differ.
    """
    if (loaded.orders, loaded.gross) != (floor.orders, floor.gross):
        raise DisagreementError(
            f"the floor has {floor.orders} orders and {floor.gross}, the pipeline {loaded.orders} and {loaded.gross}"
        )


def _floor(server: Server, period: Period, folder: Path) -> Floor:
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.floor", server.url, *period.arguments, str(folder)]
    server.requests()
    measured = measure(command, cwd=folder, environ=clean_environment())
    said = json.loads(measured.output)
    return Floor(
        measured,
        server.requests(),
        said["stages"],
        said["bytes"],
        said["orders"],
        said["lines"],
        Decimal(said["gross"]),
    )
