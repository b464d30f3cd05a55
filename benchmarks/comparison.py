"""Both sides over the same server in one run, and the check that they loaded the same."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from benchmarks.measure import Measured, clean_environment, measure
from benchmarks.period import Period
from benchmarks.pipeline import Backfill, backfill
from benchmarks.server import Server, serving


class DisagreementError(RuntimeError):
    """The two sides did not load the same: none of their figures mean anything."""


@dataclass(frozen=True)
class Floor:
    """What the floor took, by its own stages, and what it loaded."""

    measured: Measured
    stages: dict[str, float]
    orders: int
    lines: int
    gross: Decimal


@dataclass(frozen=True)
class Comparison:
    """The figures of one run of the benchmark. The pages are those of the floor, which has nothing but orders."""

    period: Period
    floor: Floor
    floor_requests: Counter[str]
    marts: Backfill
    targets: Backfill
    requests: Counter[str]


def compare(*, orders: int, period: Period, folder: Path, rehearse: bool = True) -> Comparison:
    """Measure the floor, and a backfill up to the marts and one up to the targets, all with one API user.

    Args:
        orders: About how many orders the period has.
        period: The dates to load.
        folder: Where everything is kept; made here.
        rehearse: Run both sides once without measuring, so that the server has made every answer.

    Raises:
        DisagreementError: orders or amounts differ.
    """
    with serving(orders, period) as server:
        if rehearse:
            _floor(server, period, folder / "rehearsal" / "floor")
            backfill(url=server.url, period=period, folder=folder / "rehearsal" / "pipeline", sinks=False)
        server.requests()
        floor = _floor(server, period, folder / "floor")
        floor_requests = server.requests()
        marts = backfill(url=server.url, period=period, folder=folder / "marts", sinks=False)
        requests = server.requests()
        targets = backfill(url=server.url, period=period, folder=folder / "targets", sinks=True)
    agree(floor, marts)
    agree(floor, targets)
    return Comparison(period, floor, floor_requests, marts, targets, requests)


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
    measured = measure(command, cwd=folder, environ=clean_environment())
    said = json.loads(measured.output)
    return Floor(measured, said["stages"], said["orders"], said["lines"], Decimal(said["gross"]))
