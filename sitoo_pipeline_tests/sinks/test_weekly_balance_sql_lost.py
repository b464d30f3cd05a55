"""Weekly balance into a database that is out of reach, or is lost while it is written to."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from sitoo_pipeline.sinks import Ledger, State
from sitoo_pipeline.sinks.database import open_engine
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, store_day
from sitoo_pipeline_tests.sinks.test_weekly_balance_sql import SOLD, hand, rows

NOBODY = "postgresql://someone:hidden@127.0.0.1:1/none"
LOST_AT_THE_END = """
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER lost AFTER INSERT ON weekly_balance_hourly DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lose();
"""
"""The connection ends with the transaction, before the database has said whether that was written."""


def test_a_database_that_nobody_reached_surely_has_nothing(ledger: Ledger) -> None:
    with WeeklyBalanceSql(NOBODY) as target:
        report = hand(target, ledger, SOLD)
    assert (report.retry, report.unknown, report.delivered) == (2, 0, 0)
    assert ledger.counts("acme", target.name, [DAY, NEXT_DAY]) == {day: {State.RETRY: 1} for day in (DAY, NEXT_DAY)}
    assert "Connection refused" in ledger.of("acme", target.name, [str(DAY)])[str(DAY)].answer


def test_what_was_delivered_stays_so_where_the_database_is_gone(ledger: Ledger, tmp_path: Path) -> None:
    with WeeklyBalanceSql(f"sqlite:///{tmp_path}/there.db") as target:
        hand(target, ledger, SOLD)
    with WeeklyBalanceSql(NOBODY) as target:
        report = hand(target, ledger, SOLD)
    assert (report.unsure, report.retry, report.failed) == (2, 0, True)
    assert ledger.counts("acme", target.name, [DAY, NEXT_DAY]) == {day: {State.DELIVERED: 1} for day in (DAY, NEXT_DAY)}


def test_a_dry_run_says_where_the_database_cannot_be_read(ledger: Ledger) -> None:
    with WeeklyBalanceSql(NOBODY) as target:
        report = hand(target, ledger, SOLD, dry_run=True)
    assert len(report.changes) == 2
    [why] = report.unread
    assert why.startswith("the database cannot be read: OperationalError")
    assert {change.details for change in report.changes} == {()}  # said once, not of each
    assert "hidden" not in why


@pytest.fixture
def losing(postgres_url: str) -> str:
    """A PostgreSQL that loses the connection at the end of each transaction."""
    with WeeklyBalanceSql(postgres_url) as target:
        target.write(store_day({}, day=NEXT_DAY).clear(), account="acme", dates=[NEXT_DAY])
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text(LOST_AT_THE_END))
    engine.dispose()
    return postgres_url


def test_a_connection_that_is_lost_at_the_end_leaves_doubt_which_reading_settles(losing: str, ledger: Ledger) -> None:
    frame = pl.concat([SOLD, store_day({9: "1.00"}, day=NEXT_DAY)])
    with WeeklyBalanceSql(losing) as target:
        report = hand(target, ledger, frame)
        assert (report.unknown, report.retry) == (1, 1)  # the rest was not tried
        assert ledger.of("acme", target.name, [str(DAY)])[str(DAY)].state is State.UNKNOWN
        assert rows(losing) == []
        engine = open_engine(losing)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TRIGGER lost ON weekly_balance_hourly"))
        engine.dispose()
        assert hand(target, ledger, frame).delivered == 2
    assert len(rows(losing)) == 48
