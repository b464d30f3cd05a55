"""Rows and ledger in one database come about together or not at all; in two, the rows are read back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitoo_pipeline.sinks import Ledger, State
from sitoo_pipeline.sinks.database import is_same_database, open_engine
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, store_day
from sitoo_pipeline_tests.sinks.test_weekly_balance_sql import SOLD, hand, rows

KILLED = """
import os, signal, sys
import sqlalchemy as sa
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql
from sitoo_pipeline_tests.sinks.frames import store_day
from sitoo_pipeline_tests.sinks.test_weekly_balance_sql import hand

url, statement, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0

def count(said):
    global seen
    seen += said.startswith(statement)
    if seen == number:
        os.kill(os.getpid(), signal.SIGKILL)

@sa.event.listens_for(sa.Engine, "after_cursor_execute")
def after(connection, cursor, said, *_):
    count(said)

@sa.event.listens_for(sa.Engine, "commit")
def before_the_commit(connection):
    count("COMMIT")

with Ledger(url) as ledger, WeeklyBalanceSql(url) as target:
    seen = 0
    hand(target, ledger, store_day({10: "7.00"}, store="new"))
print(seen)
"""


def held(url: str) -> set[str]:
    return {store for (store,) in rows(url, "store_id")}


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("INSERT INTO deliveries", 1),  # noted, nothing written
        ("DELETE FROM weekly_balance_hourly", 1),
        ("INSERT INTO weekly_balance_hourly", 1),
        ("RELEASE SAVEPOINT", 1),  # rows written, the ledger not
        ("INSERT INTO deliveries", 2),  # both written
        ("COMMIT", 2),  # about to be committed; the first commit settles nothing
    ],
)
def test_killed_at_any_moment_rows_and_ledger_agree(database_url: str, statement: str, number: int) -> None:
    with Ledger(database_url) as ledger, WeeklyBalanceSql(database_url) as target:
        hand(target, ledger, SOLD)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, database_url, statement, str(number)], check=False, capture_output=True
        )
        assert killed.returncode == -signal.SIGKILL, killed
        assert held(database_url) == {"1122"}
        before = ledger.of("acme", target.name, [str(DAY)])[str(DAY)]
        assert (before.state, before.attempts) == (State.DELIVERED, 1)
        assert hand(target, ledger, SOLD).unchanged == 2
        assert hand(target, ledger, store_day({10: "7.00"}, store="new")).delivered == 1
        assert held(database_url) == {"new"}


def test_a_date_that_the_database_refuses_leaves_nothing_and_holds_up_no_other(database_url: str) -> None:
    first, second = store_day({9: "1.00"}), store_day({9: "2.00"}, day=NEXT_DAY)
    with Ledger(database_url) as ledger, WeeklyBalanceSql(database_url) as target:
        target.write(store_day({8: "5.00"}), account="acme", dates=[DAY])
        engine = open_engine(database_url)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE UNIQUE INDEX once ON weekly_balance_hourly (gross_sales, hour)"))
        engine.dispose()
        report = hand(target, ledger, first.vstack(second))
        # On NEXT_DAY every hour without sales has the figures of an hour of DAY.
        assert (report.delivered, report.rejected, report.failed) == (1, 1, False)
        assert ledger.counts("acme", target.name, [DAY, NEXT_DAY]) == {
            DAY: {State.DELIVERED: 1},
            NEXT_DAY: {State.REJECTED: 1},
        }
        assert len(rows(database_url)) == 24
        assert [letter.partition for letter in ledger.dead_letters("acme", target.name)] == [NEXT_DAY]


def test_a_table_that_cannot_be_written_leaves_the_ledger_in_use(database_url: str) -> None:
    with Ledger(database_url) as ledger, WeeklyBalanceSql(database_url) as target:
        hand(target, ledger, SOLD)
        engine = open_engine(database_url)
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE weekly_balance_hourly RENAME COLUMN visitors TO hidden"))
        report = hand(target, ledger, store_day({9: "1.00"}))
        assert (report.failed, report.retry, report.unknown, report.unsure) == (True, 1, 0, 1)
        assert ledger.counts("acme", target.name, [DAY, NEXT_DAY]) == {
            DAY: {State.RETRY: 1},
            NEXT_DAY: {State.DELIVERED: 1},  # the database cannot be read: nobody knows better
        }
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE weekly_balance_hourly RENAME COLUMN hidden TO visitors"))
        engine.dispose()
        assert hand(target, ledger, store_day({9: "1.00"})).delivered == 1


def test_the_table_is_made_in_the_same_transaction(database_url: str) -> None:
    with Ledger(database_url) as ledger, WeeklyBalanceSql(database_url) as target:
        assert hand(target, ledger, SOLD, dry_run=True).planned == 1
        engine = open_engine(database_url)
        assert not sa.inspect(engine).has_table("weekly_balance_hourly")
        engine.dispose()
        assert hand(target, ledger, SOLD).delivered == 1


def test_databases_are_the_same_where_their_addresses_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engines = [
        open_engine(url)
        for url in (
            f"sqlite:///{tmp_path}/a.db",
            "sqlite:///a.db",
            "sqlite:///b.db",
            "sqlite://",
            "postgresql://u:p@host/one",
            "postgresql+psycopg://u:p@host/one",
            "postgresql://u:p@host/two",
        )
    ]
    urls = [engine.url for engine in engines]
    same = {(i, j) for i, one in enumerate(urls) for j, two in enumerate(urls) if i < j and is_same_database(one, two)}
    assert same == {(0, 1), (4, 5)}
    assert not is_same_database(urls[3], urls[3])
