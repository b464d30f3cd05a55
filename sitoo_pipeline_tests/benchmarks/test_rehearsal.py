"""The pages that a backfill asks for are ready: over several pieces of dates and two runs, for one API user or more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.period import Period
from benchmarks.pipeline import settings
from benchmarks.serving import Server, Wanted, Watched, serving
from sitoo_pipeline.assets.fetching import Fetcher
from sitoo_pipeline.assets.runtime import Runtime, chunks
from sitoo_pipeline.operations.execution import DATES_PER_RUN
from sitoo_pipeline.settings import load_settings
from sitoo_pipeline.tables import raw

PERIOD, ORDERS = Period.of(DATES_PER_RUN + 3), 20_000
RUNS = chunks([PERIOD.day(number) for number in range(PERIOD.days)], DATES_PER_RUN)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Wanted.of(ORDERS, PERIOD, users=(1, 3))) as server:
        yield server


def fetched(server: Server, folder: Path, *, users: int, days_at_once: int | None = None) -> Watched:
    """What the server sees of the fetches of a backfill, with the pipeline's own settings where no days are given."""
    environ = settings(server, PERIOD.first, folder, users=users)
    account = load_settings(cwd=folder, environ=environ).accounts[0]
    server.watch()
    for run in RUNS:
        pieces = chunks(run, days_at_once or account.chunk_days)
        with Fetcher(Runtime.of(account), raw.ORDERS, pieces, asks_newest=False) as fetcher:
            for dates in fetcher.pieces():
                fetcher.take(dates)
    return server.watch()


@pytest.mark.parametrize("users", [1, 3])
def test_every_page_is_ready(server: Server, tmp_path: Path, users: int) -> None:
    watched = fetched(server, tmp_path, users=users)
    assert watched.requests["/orders"] > ORDERS / 1000
    assert watched.making == 0


def test_pages_that_nobody_rehearsed_are_told(server: Server, tmp_path: Path) -> None:
    assert fetched(server, tmp_path, users=1, days_at_once=5).making > 0
