"""A backfill by the pipeline's own command line, and what its warehouse and Dagster's history say of it afterwards."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb

from benchmarks.measure import Measured, clean_environment, measure, size
from benchmarks.period import TIMEZONE, Period
from benchmarks.server import Server

_ACCOUNT = "bench"
STAGES = ("reference", "extract", "transform", "deliver", "publish")


@dataclass(frozen=True)
class Backfill:
    """What a backfill took, and what it brought.

    Attributes:
        measured: Time and memory of the whole command.
        requests: Requests per path.
        stages: Seconds of each stage's run; what is missing to the whole is the start of the program and of the runs.
        steps: Seconds of each step.
        orders: Orders in the period, whether they count or not.
        gross: Gross of all lines of the orders that count: sales less returns, gift cards included.
        reconciled: How many z-reports have which status.
        warehouse: Bytes of the warehouse's file.
        landing: Bytes of the response bodies.
    """

    measured: Measured
    requests: Counter[str]
    stages: dict[str, float]
    steps: dict[str, float]
    orders: int
    gross: Decimal
    reconciled: dict[str, int]
    warehouse: int
    landing: int


def backfill(*, server: Server, period: Period, folder: Path, sinks: bool) -> Backfill:
    """Load ``period`` into an account that is empty, below ``folder``.

    Raises:
        RuntimeError: it did not succeed.
    """
    folder.mkdir(parents=True)
    environ = clean_environment() | {
        "SITOO_ACCOUNT": _ACCOUNT,
        "SITOO_BASE_URL": server.url,
        "SITOO_API_ID": "1500-1",
        "SITOO_API_PASSWORD": "not a secret",
        "SITOO_TIMEZONE": TIMEZONE,
        "SITOO_START_DATE": period.first.isoformat(),
        "SITOO_PIPELINE_DATA_DIR": str(folder),
    }
    first, last = period.arguments
    command = [sys.executable, "-m", "sitoo_pipeline", "backfill", "--from", first, "--to", last]
    server.requests()
    measured = measure(command if sinks else [*command, "--no-sinks"], cwd=folder, environ=environ)
    account = folder / _ACCOUNT
    stages, steps = _history(folder / "dagster_home")
    with duckdb.connect(str(account / "warehouse_read.duckdb"), read_only=True) as con:
        orders, gross = con.execute(
            "SELECT (SELECT count(*) FROM raw.orders), (SELECT sum(gross_sales - returns + gift_card_sales) "
            "FROM marts.hourly_sales)"
        ).fetchall()[0]
        reconciled = con.execute(
            "SELECT status, count(*) FROM marts.z_report_reconciliation GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    return Backfill(
        measured=measured,
        requests=server.requests(),
        stages=stages,
        steps=steps,
        orders=orders,
        gross=gross,
        reconciled=dict(reconciled),
        warehouse=size(account / "warehouse.duckdb"),
        landing=size(account / "landing"),
    )


def _history(home: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of each stage and of each step, as Dagster has recorded them."""
    stages, steps = dict.fromkeys(STAGES, 0.0), defaultdict[str, float](float)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for record in instance.get_run_records():
            run = record.dagster_run
            if record.start_time and record.end_time:
                stages[run.job_name.removeprefix(f"{_ACCOUNT}_")] += record.end_time - record.start_time
            for step in instance.get_run_step_stats(run.run_id):
                if step.start_time and step.end_time:
                    steps[step.step_key.removeprefix(f"{_ACCOUNT}__")] += step.end_time - step.start_time
    return stages, dict(steps)
