"""Many small awkward chains, each while one request in ten fails: every cell of every mart."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path

import pytest

from sitoo_pipeline.sandbox import Chain, Faults, Sandbox
from sitoo_pipeline.sandbox.faults import FaultPlan
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests.pipeline.expected import differing_cells, fetch, oracle
from sitoo_pipeline_tests.pipeline.project import Project

AUTUMN, SPRING, YEAR_END = date(2026, 10, 24), date(2026, 3, 28), date(2025, 12, 31)
"""The first of two dates: the clocks go back, they go forward, the shops are closed on the second."""
BEGINNINGS = (AUTUMN, date(2026, 11, 7), SPRING, date(2026, 6, 12), AUTUMN, YEAR_END)
HISTORY, AFTERWARDS = timedelta(days=11), timedelta(days=4)
"""A register moves on the thirteenth day of a chain, which is the second date; tills are offline for three at most."""
FEWEST_REQUESTS = 10
"""A load makes a few more, and one of these is to fail."""
PATIENCE = "attempts = 12, wait_initial = 0.001, wait_max = 0.002"


def faults(seed: int) -> Faults:
    """One request in ten fails, and at least one of the first few."""
    drawn = (Faults(rate=0.1, retry_after=0, seed=number) for number in count(seed, step=20))
    return next(each for each in drawn if any(map(FaultPlan(each).draw, ["any"] * FEWEST_REQUESTS)))


IN_EVERY_RUN = (2, 4, 5)
"""Seeds that the tests always take: both clock changes, the year's end, and tills that alone say where they are.

``make soak`` takes the others.
"""


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.soak] if seed not in IN_EVERY_RUN else []) for seed in range(1, 21)]
)
def test_no_cell_differs_while_one_request_in_ten_fails(seed: int, tmp_path: Path) -> None:
    first = BEGINNINGS[seed % len(BEGINNINGS)]
    dates = [first, first + timedelta(days=1)]
    chain = Chain(stores=2 + seed % 2, seed=seed, opened=first - HISTORY, orders_per_day=10, awkward=True)
    known = chain.timezones if seed % 4 != 1 else {}  # else only the tills say where they are
    zones = "".join(f'[accounts.kedjan.stores.{store}]\ntimezone = "{zone}"\n' for store, zone in known.items())
    with Sandbox(chain=chain, now=datetime.combine(dates[-1] + AFTERWARDS, time(12), tzinfo=UTC)) as sandbox:
        objects = fetch(sandbox.sitoo_url, sandbox.api_users[0])
        sandbox.clear_requests()
        sandbox.faults = faults(seed)
        project = Project.make(tmp_path, sandbox, start_date=first, more=zones, http=PATIENCE)
        project.load_plainly([dates])
        asked = Counter(sandbox.requests)
    expected = oracle(objects, dates=dates, start_date=first, store_timezones=known)
    for table in marts.TABLES:
        assert differing_cells(project.rows(table), getattr(expected, table.name)(), table) == []
    assert max(asked.values()) > 1, "no request had to be repeated"
    rows = project.rows(marts.Z_REPORT_RECONCILIATION)
    assert "balanced" in {row["status"] for row in rows}
    silent = {(r["registerid"], r["zreportid"]) for r in objects["z_reports"] if r["dateopened"] is None}
    unbalanced = {(row["register_id"], row["z_report_id"]) for row in rows if row["status"] == "unbalanced"}
    assert unbalanced <= silent, "only one that does not say when it began can begin before the account's start date"
