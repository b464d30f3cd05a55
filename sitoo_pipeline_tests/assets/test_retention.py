"""Deliveries that are settled and old go out of the ledger itself, and the rest stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sitoo_pipeline.assets import sqlite_space
from sitoo_pipeline.assets.retention import forget
from sitoo_pipeline.assets.sqlite_space import give_back
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.contract import Outcome, Record, State
from sitoo_pipeline_tests.pipeline.project import Project

NOW = datetime(2026, 3, 22, 6, tzinfo=UTC)
STATES = {"a": State.DELIVERED, "b": State.REJECTED, "c": State.HELD, "d": State.RETRY, "e": State.UNKNOWN}


def test_only_settled_deliveries_of_old_dates_are_forgotten(tmp_path: Path) -> None:
    more = "[accounts.kedjan.targets.weekly_balance_csv]\nenabled = false\n"
    project = Project.make(tmp_path, None, start_date=date(2026, 1, 1), more=more)
    account = project.account.model_copy(update={"deliveries_retention_days": 30})
    runtime = type(project.runtime).of(account)
    assert forget(runtime, NOW) == {}  # and no folder is made for it
    assert not account.folder.exists()
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        for day in (date(2026, 2, 19), date(2026, 2, 20)):
            records = [Record(key=f"{key}-{day}", partition=day, payload={"n": 1}) for key in STATES]
            begun = ledger.begin("kedjan", "t", records, run_id="run")
            results = [(record, Outcome(record.key, STATES[record.key[0]])) for record in records]
            ledger.finish("kedjan", "t", results, attempts=begun, run_id="run")
    assert forget(runtime, NOW)["deliveries"] == 3
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        assert ledger.keys("kedjan", "t", [date(2026, 2, 19)]) == {"d-2026-02-19", "e-2026-02-19"}
        assert len(ledger.keys("kedjan", "t", [date(2026, 2, 20)])) == 5
        assert {letter.key for letter in ledger.dead_letters("kedjan", "t")} == {"b-2026-02-20"}
    assert forget(runtime, NOW)["deliveries"] == 0


def test_a_ledger_that_is_half_empty_gives_its_room_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project.make(tmp_path, None, start_date=date(2026, 1, 1))
    account = project.account.model_copy(update={"deliveries_retention_days": 30})
    runtime, file = type(project.runtime).of(account), account.folder / "deliveries.db"
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        records = [Record(key=str(number), partition=date(2026, 3, 20), payload={"n": 1}) for number in range(100)]
        results = [(record, Outcome(record.key, State.DELIVERED)) for record in records]
        begun = ledger.begin("kedjan", "t", records, run_id="run")
        ledger.finish("kedjan", "t", results, attempts=begun, run_id="run")
    with closing(sqlite3.connect(file)) as con, con:
        names = [row[1] for row in con.execute("PRAGMA table_info(deliveries)")]
        values = ", ".join({"key": "key || '-' || n", "partition": "'2026-01-05'"}.get(each, each) for each in names)
        con.execute(
            "WITH RECURSIVE of(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of WHERE n < 400) "
            f"INSERT INTO deliveries SELECT {values} FROM deliveries, of"
        )
    grown = file.stat().st_size
    assert grown > 10_000_000
    assert give_back(file) == 0  # nothing is free
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        assert ledger.forget("kedjan", before=date(2026, 2, 1)) == 40_000
    with closing(sqlite3.connect(file, isolation_level=None)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite_space, "_PATIENCE", 0.05)
        assert give_back(file) == 0  # the next time, then
        busy.execute("ROLLBACK")
    gone = forget(runtime, NOW)
    assert file.stat().st_size < 200_000
    assert gone["bytes_given_back"] > grown - 400_000
    with Ledger(account.deliveries_url.get_secret_value()) as ledger:
        assert len(ledger.keys("kedjan", "t", [date(2026, 3, 20)])) == 100


def test_where_a_reader_is_in_the_way_nothing_is_given_back_until_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_space, "_PATIENCE", 0.05)
    file = tmp_path / "runs.db"
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as writer,
        closing(sqlite3.connect(file, isolation_level=None)) as reader,
    ):
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE runs (body)")
        writer.execute(
            "WITH RECURSIVE of(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of WHERE n < 100) "
            "INSERT INTO runs SELECT zeroblob(200000) FROM of"
        )
        writer.execute("DELETE FROM runs WHERE rowid > 20")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM runs").fetchall() == [(20,)]
        grown = file.stat().st_size
        assert give_back(file) == 0
        assert file.stat().st_size >= grown
        reader.execute("ROLLBACK")
        give_back(file)
        assert sum(path.stat().st_size for path in tmp_path.iterdir() if path.suffix != ".db-shm") < 5_000_000
