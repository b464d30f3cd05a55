"""Weekly balance into SQL, on each database that is supported."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from sitoo_pipeline.sinks import Ledger, Report, State, deliver
from sitoo_pipeline.sinks.database import open_engine
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline.sinks.weekly_balance_table import TABLE, Written
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY as MART
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, store_day

SOLD = store_day({10: "1543.20", 11: "0.10", 12: "0.20"})


@pytest.fixture
def target(database_url: str) -> Iterator[WeeklyBalanceSql]:
    with WeeklyBalanceSql(database_url) as opened:
        yield opened


def rows(url: str, *columns: str) -> list[tuple[Any, ...]]:
    """The table as any client of the database sees it, by key."""
    engine = open_engine(url)
    chosen = ", ".join(columns or MART.names)
    with engine.connect() as connection:
        query = sa.text(f"SELECT {chosen} FROM weekly_balance_hourly ORDER BY account, store_id, business_date, hour")
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return found


def hand(target: WeeklyBalanceSql, ledger: Ledger, frame: pl.DataFrame, **how: Any) -> Report:
    prepared = target.prepare(frame, account="acme", dates=[DAY, NEXT_DAY])
    return deliver(target=target, records=prepared.records, ledger=ledger, account="acme", run_id="r", **how)


def test_the_table_has_the_columns_of_the_mart_and_its_key(target: WeeklyBalanceSql, database_url: str) -> None:
    target.write(SOLD, account="acme", dates=[DAY])
    engine = open_engine(database_url)
    with engine.connect() as connection:
        columns = sa.inspect(connection).get_columns("weekly_balance_hourly")
        key = sa.inspect(connection).get_pk_constraint("weekly_balance_hourly")["constrained_columns"]
    engine.dispose()
    assert [c["name"] for c in columns] == [*MART.names, "updated_at", "content_hash"]
    money = {c["name"]: str(c["type"]) for c in columns if c["name"] in ("gross_sales", "returns")}
    assert money == {"gross_sales": "NUMERIC(18, 2)", "returns": "NUMERIC(18, 2)"}
    assert key == ["account", "store_id", "currency", "business_date", "hour"]


def test_every_figure_arrives_exactly(target: WeeklyBalanceSql, database_url: str) -> None:
    start = datetime.now(UTC)
    figures = store_day(
        {9: "99999999999.99", 10: "123.50", 11: "0.10", 12: "0.07"}, returns=Decimal("19.90"), visitors=4
    )
    assert target.write(figures, account="acme", dates=[DAY]) == Written(written=24)
    engine = open_engine(database_url)
    with engine.connect() as connection:
        held = connection.execute(sa.select(TABLE).order_by(TABLE.c.hour)).mappings().all()
    engine.dispose()
    assert [{name: row[name] for name in MART.names} for row in held] == figures.to_dicts()
    assert all(start <= row["updated_at"] <= datetime.now(UTC) for row in held)
    assert held[10]["gross_sales"].as_tuple() == Decimal("123.50").as_tuple()


def test_sqlite_keeps_numbers_that_any_client_can_compare_and_add(tmp_path: Path) -> None:
    with WeeklyBalanceSql(f"sqlite:///{tmp_path}/wb.db") as target:
        target.write(store_day({8: "99.00", 9: "123.50", 10: "1234.56"}), account="acme", dates=[DAY])
    connection = sqlite3.connect(tmp_path / "wb.db")
    above = connection.execute("SELECT gross_sales FROM weekly_balance_hourly WHERE gross_sales > 100 ORDER BY 1 DESC")
    assert above.fetchall() == [(1234.56,), (123.5,)]
    total = connection.execute(
        "SELECT printf('%.2f', SUM(gross_sales)), COUNT(*) FROM weekly_balance_hourly"
    ).fetchone()
    assert total == ("1457.06", 24)
    connection.close()


def test_sqlite_refuses_an_amount_that_it_would_round(tmp_path: Path, ledger: Ledger) -> None:
    with WeeklyBalanceSql(f"sqlite:///{tmp_path}/wb.db") as target:
        report = hand(target, ledger, store_day({9: "9999999999999.99"}))
        assert (report.rejected, report.delivered) == (0, 1)
        report = hand(target, ledger, store_day({9: "10000000000000.00"}))
    assert report.rejected == 1
    assert any("use PostgreSQL" in message for message in report.messages)


def test_the_same_figures_are_written_once(target: WeeklyBalanceSql, database_url: str) -> None:
    target.write(SOLD, account="acme", dates=[DAY])
    before = rows(database_url, "hour", "updated_at")
    assert target.write(SOLD, account="acme", dates=[DAY]) == Written(unchanged=24)
    assert rows(database_url, "hour", "updated_at") == before


def test_a_corrected_hour_is_the_only_row_that_is_touched(target: WeeklyBalanceSql, database_url: str) -> None:
    target.write(SOLD, account="acme", dates=[DAY])
    before = rows(database_url, "hour", "updated_at", "content_hash")
    corrected = store_day({10: "1543.21", 11: "0.10", 12: "0.20"})
    assert target.write(corrected, account="acme", dates=[DAY]) == Written(written=1, unchanged=23)
    after = rows(database_url, "hour", "updated_at", "content_hash")
    touched = [hour for (hour, *old), (_, *new) in zip(before, after, strict=True) if old != new]
    assert touched == [10]
    assert rows(database_url, "gross_sales")[10] in [(Decimal("1543.21"),), (1543.21,)]


def test_rows_that_left_the_mart_are_deleted_for_this_account_and_date_only(
    target: WeeklyBalanceSql, database_url: str
) -> None:
    other_day, other_store = store_day({9: "1.00"}, day=NEXT_DAY), store_day({9: "2.00"}, store="77")
    other_account = SOLD.with_columns(account=pl.lit("beta"))
    target.write(pl.concat([SOLD, other_store, other_day]), account="acme", dates=[DAY, NEXT_DAY])
    target.write(other_account, account="beta", dates=[DAY])
    assert target.write(other_store, account="acme", dates=[DAY]) == Written(unchanged=24, deleted=24)
    kept = {
        (account, store, str(day)) for account, store, day in rows(database_url, "account", "store_id", "business_date")
    }
    assert kept == {("acme", "77", str(DAY)), ("acme", "1122", str(NEXT_DAY)), ("beta", "1122", str(DAY))}
    assert target.write(SOLD.clear(), account="acme", dates=[DAY]) == Written(deleted=24)


def test_a_key_twice_is_named_before_the_database_sees_it(target: WeeklyBalanceSql, database_url: str) -> None:
    target.write(SOLD, account="acme", dates=[DAY])
    with pytest.raises(ValueError, match=r"more than once: \('acme', '1122', 'SEK', .*, 10\)$"):
        target.write(pl.concat([SOLD, SOLD.filter(hour=10)]), account="acme", dates=[DAY])
    assert len(rows(database_url)) == 24


def test_a_delivery_of_unchanged_dates_writes_nothing(target: WeeklyBalanceSql, ledger: Ledger) -> None:
    frame = pl.concat([SOLD, store_day({9: "1.00"}, day=NEXT_DAY)])
    first = hand(target, ledger, frame)
    assert (first.delivered, first.counts) == (2, {"written": 48, "unchanged": 0, "deleted": 0})
    assert (hand(target, ledger, frame).planned, hand(target, ledger, frame).unchanged) == (0, 2)
    corrected = pl.concat([SOLD, store_day({9: "1.01"}, day=NEXT_DAY)])
    report = hand(target, ledger, corrected)
    assert [change.partition for change in report.changes] == [NEXT_DAY]
    assert report.counts == {"written": 1, "unchanged": 23, "deleted": 0}


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM weekly_balance_hourly",
        "UPDATE weekly_balance_hourly SET gross_sales = 1 WHERE hour = 10",
        "UPDATE weekly_balance_hourly SET store_id = 'x' WHERE hour = 10",
        "DROP TABLE weekly_balance_hourly",
    ],
)
def test_a_plain_run_puts_right_what_the_database_lost(database_url: str, ledger: Ledger, damage: str) -> None:
    with WeeklyBalanceSql(database_url) as target:
        hand(target, ledger, SOLD)
    before = rows(database_url)
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text(damage))
    engine.dispose()
    with WeeklyBalanceSql(database_url) as target:
        report = hand(target, ledger, SOLD)
    assert [(change.partition, change.reason) for change in report.changes] == [
        (DAY, "missing or different at the target")
    ]
    assert rows(database_url) == before


def test_a_failing_transaction_leaves_the_date_as_it_was(
    target: WeeklyBalanceSql, database_url: str, ledger: Ledger
) -> None:
    hand(target, ledger, pl.concat([SOLD, store_day({9: "5.00"}, store="77")]))
    before = rows(database_url)
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE weekly_balance_hourly RENAME COLUMN content_hash TO hidden"))
    # The rows of store 77 would be deleted, but nothing can be read or written.
    report = hand(target, ledger, SOLD)
    assert report.failed
    assert (report.delivered, report.retry, report.unsure) == (0, 1, 1)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE weekly_balance_hourly RENAME COLUMN hidden TO content_hash"))
    engine.dispose()
    assert rows(database_url) == before
    assert hand(target, ledger, SOLD).counts["deleted"] == 24
    assert ledger.counts("acme", target.name, [DAY]) == {DAY: {State.DELIVERED: 1}}


def test_a_dry_run_tells_which_figures_would_change_and_makes_nothing(
    database_url: str, ledger: Ledger, tmp_path: Path
) -> None:
    with WeeklyBalanceSql(database_url) as target:
        planned = hand(target, ledger, SOLD, dry_run=True)
        assert [change.details for change in planned.changes] == [("store 1122 SEK: 24 hours to be written",)]
        assert not (tmp_path / "database.db").exists()
        hand(target, ledger, pl.concat([SOLD, store_day({9: "5.00"}, store="77")]))
        other = pl.concat([store_day({10: "1543.21", 11: "0.10", 12: "0.20"}), store_day({}, store="88")])
        before = rows(database_url)
        [change] = hand(target, ledger, other, dry_run=True).changes
        assert change.details == (
            "store 88 SEK: 24 hours to be written",
            "store 77 SEK: 24 hours to be deleted",
            "store 1122 SEK hour 10: gross_sales 1543.20 -> 1543.21, net_sales 1234.56 -> 1234.57",
        )
        assert rows(database_url) == before


KILLED = """
import os, signal, sys
import sqlalchemy as sa
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline_tests.sinks.frames import store_day
from sitoo_pipeline_tests.sinks.test_weekly_balance_sql import hand

@sa.event.listens_for(sa.Engine, "after_cursor_execute")
def die_before_the_commit(connection, cursor, statement, *_):
    if statement.startswith("INSERT INTO weekly_balance_hourly"):
        os.kill(os.getpid(), signal.SIGKILL)

with Ledger(sys.argv[1]) as ledger, WeeklyBalanceSql(sys.argv[2]) as target:
    hand(target, ledger, store_day({10: "7.00"}, store="new"))
"""


def test_a_process_killed_within_a_date_leaves_it_as_it_was_and_the_next_run_finishes(
    database_url: str, tmp_path: Path
) -> None:
    ledger_url, new = f"sqlite:///{tmp_path}/deliveries.db", store_day({10: "7.00"}, store="new")
    with Ledger(ledger_url) as ledger, WeeklyBalanceSql(database_url) as target:
        hand(target, ledger, SOLD)
        before = rows(database_url)
        killed = subprocess.run([sys.executable, "-c", KILLED, ledger_url, database_url], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert rows(database_url) == before
        assert ledger.counts("acme", target.name, [DAY]) == {DAY: {State.PENDING: 1}}
        report = hand(target, ledger, new)
        assert report.counts == {"written": 24, "unchanged": 0, "deleted": 24}
        assert {store for (store,) in rows(database_url, "store_id")} == {"new"}
        assert ledger.counts("acme", target.name, [DAY]) == {DAY: {State.DELIVERED: 1}}


def test_a_database_that_is_not_there_is_reported(ledger: Ledger) -> None:
    with WeeklyBalanceSql("postgresql://someone:hidden@127.0.0.1:1/none") as target:
        report = hand(target, ledger, SOLD)
    assert report.failed
    assert "database failed" in report.messages[0]
    assert "hidden" not in "".join(report.messages)


def test_what_the_table_has_of_a_held_store_stays_and_other_stores_go(
    target: WeeklyBalanceSql, database_url: str, ledger: Ledger
) -> None:
    def hand_all(first: str, second: str, held: set[str]) -> Report:
        frame = pl.concat([store_day({10: first}), store_day({10: second}, store="77")])
        prepared = target.prepare(frame, account="acme", dates=[DAY], held={DAY: held, NEXT_DAY: {"77"}})
        return deliver(target=target, records=prepared.records, ledger=ledger, account="acme", run_id="r")

    def at_ten() -> dict[Any, Any]:
        return {
            store: gross for store, hour, gross in rows(database_url, "store_id", "hour", "gross_sales") if hour == 10
        }

    assert hand_all("5.00", "6.00", {"77"}).counts["written"] == 24
    assert at_ten() == {"1122": 5}
    assert hand_all("5.00", "6.00", {"77"}).unchanged == 1
    assert hand_all("5.00", "6.00", set()).counts == {"written": 24, "unchanged": 24, "deleted": 0}
    assert hand_all("7.00", "8.00", {"77"}).counts["written"] == 1
    assert at_ten() == {"1122": 7, "77": 6}
    assert [change.reason for change in hand_all("7.00", "8.00", set()).changes] == ["changed"]
    assert at_ten() == {"1122": 7, "77": 8}
