"""Files of an older version are migrated, those of a newer one refused, and readers are told what to do."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sitoo_pipeline.tables import ALL_TABLES, marts, raw
from sitoo_pipeline.warehouse import SCHEMA_VERSION, Warehouse, WarehouseVersionError, loaded_dates
from sitoo_pipeline.warehouse.migrations import MIGRATIONS, declared_shape, shape_of
from sitoo_pipeline_tests.warehouse.support import DAY, Account, order

HERE = Path(__file__).parent
FINGERPRINTS = HERE / "schema_versions.json"
LOAD = (
    "INSERT INTO meta.loads (table_name, business_date, status, quarantined, started_at, finished_at, run_id) "
    "VALUES (?, ?, 'loaded', 0, now(), now(), 'old')"
)


@pytest.fixture
def old(account: Account) -> Account:
    """A warehouse that version 1 made, with an order in it, and its date loaded in raw and marts."""
    with duckdb.connect(str(account.warehouse.path)) as con:
        con.execute((HERE / "version_1.sql").read_text(encoding="utf-8"))
        con.execute(
            "INSERT INTO raw.orders (orderid, orderdate, business_date, orderitems, _landing_file, _loaded_at, "
            "_run_id) SELECT 1, now(), ?, [{'orderitemid': 7}], 'f', now(), 'old'",
            [DAY],
        )
        for table in (raw.ORDERS, marts.HOURLY_SALES, marts.DAILY_SALES):
            con.execute(LOAD, [table.qualified, DAY])
    return account


def alter(account: Account, *statements: str) -> None:
    """The same file, as a still older version might have made it."""
    with duckdb.connect(str(account.warehouse.path)) as con:
        for statement in statements:
            con.execute(statement)


def shape(path: Path) -> dict[str, dict[str, str]]:
    with duckdb.connect(str(path), read_only=True) as con:
        return {table: dict(columns) for table, columns in shape_of(con).items()}


def versions(account: Account) -> list[Any]:
    return [row[0] for row in account.rows("SELECT version FROM meta.schema_version ORDER BY 1")]


def test_the_declared_tables_are_those_of_the_version() -> None:
    """Where this fails: a table changed.

    If the version was released, add a ``Migration``; then write the fingerprint that is shown to the file.
    """
    declared = hashlib.sha256("\n".join(sorted(table.ddl for table in ALL_TABLES)).encode()).hexdigest()[:16]
    assert json.loads(FINGERPRINTS.read_text(encoding="utf-8"))[str(SCHEMA_VERSION)] == declared


def test_the_versions_follow_each_other() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(2, SCHEMA_VERSION + 1))


def test_a_fresh_file_has_the_version(account: Account) -> None:
    assert versions(account) == [SCHEMA_VERSION]
    assert versions(account) == [SCHEMA_VERSION]
    assert list(account.folder.glob("*version-*")) == []


def test_a_file_of_the_first_version_is_migrated_with_its_rows(old: Account) -> None:
    before = shape(old.warehouse.path)
    assert old.rows("SELECT orderid, business_date, orderitems[1].orderitemid FROM raw.orders") == [(1, DAY, 7)]
    assert versions(old) == [SCHEMA_VERSION]
    after = shape(old.warehouse.path)
    assert after.keys() == declared_shape().keys()
    kept = old.folder / "warehouse.version-1.duckdb"
    assert shape(kept) == before
    with duckdb.connect(str(kept), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM raw.orders").fetchall() == [(1,)]


def test_new_nullable_columns_and_nested_fields_of_raw_keep_the_rows(old: Account) -> None:
    fields = declared_shape()["raw.orders"]["orderitems"]
    narrow = fields.replace(", quantity INTEGER", "")
    assert narrow != fields
    alter(
        old,
        f"ALTER TABLE raw.orders ALTER COLUMN orderitems TYPE {narrow}",
        "ALTER TABLE raw.orders DROP COLUMN comment",
        "ALTER TABLE meta.loads DROP COLUMN requests",
    )
    found = old.rows("SELECT orderid, comment, orderitems[1].orderitemid, orderitems[1].quantity FROM raw.orders")
    assert found == [(1, None, 7, None)]
    assert old.rows("SELECT count(*), count(requests) FROM meta.loads") == [(3, 0)]
    assert shape(old.warehouse.path)["raw.orders"].items() == declared_shape()["raw.orders"].items()
    assert list(shape(old.warehouse.path)["meta.loads"]) == list(declared_shape()["meta.loads"])
    old.load([order(2)], run_id="new")  # what is loaded now fits
    assert [row[0] for row in old.orders()] == [2]


@pytest.mark.parametrize(
    "change", ["DROP COLUMN vat", "ADD COLUMN gone INTEGER", "ALTER COLUMN goods_sold TYPE BIGINT"]
)
def test_a_mart_of_another_shape_is_emptied_and_counts_as_not_computed(
    change: str, old: Account, caplog: pytest.LogCaptureFixture
) -> None:
    alter(old, f"ALTER TABLE marts.daily_sales {change}", "DROP TABLE marts.hourly_sales")
    with caplog.at_level(logging.WARNING), old.warehouse.connect() as con:
        assert loaded_dates(con, marts.DAILY_SALES) == set()
        assert loaded_dates(con, raw.ORDERS) == {DAY}
    [(changes,)] = old.rows("SELECT changes FROM meta.schema_version")
    assert "to be computed again: marts.daily_sales" in changes
    assert "marts.hourly_sales, " in changes.partition("; new: ")[2].partition(";")[0]
    assert "from schema version 1 to" in caplog.text
    assert list(shape(old.warehouse.path)["marts.daily_sales"].items()) == list(
        declared_shape()["marts.daily_sales"].items()
    )


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE raw.orders ADD COLUMN unheard_of INTEGER",
        "ALTER TABLE raw.orders DROP COLUMN orderid",
        "ALTER TABLE raw.orders ALTER COLUMN ordertypeid TYPE VARCHAR",
        "ALTER TABLE meta.loads DROP COLUMN started_at",
    ],
)
def test_what_no_migration_accounts_for_is_refused_and_left_as_it_was(change: str, old: Account) -> None:
    alter(old, change)
    before = shape(old.warehouse.path)
    with pytest.raises(
        WarehouseVersionError, match=r"other columns in (raw\.orders|meta\.loads)\. Nothing was written"
    ):
        old.rows("SELECT 1")
    assert shape(old.warehouse.path) == before


def test_readers_of_an_older_file_are_told_what_to_do_and_change_nothing(old: Account) -> None:
    before = old.warehouse.path.read_bytes()
    with (
        pytest.raises(WarehouseVersionError, match=r"has schema version 1.*sitoo-pipeline upgrade"),
        old.warehouse.look(),
    ):
        pass
    assert old.warehouse.path.read_bytes() == before
    assert list(old.folder.glob("*version-*")) == []


def test_a_newer_file_is_refused_by_its_version(account: Account) -> None:
    newer = SCHEMA_VERSION + 3
    account.load([order(1)])
    alter(
        account,
        f"INSERT INTO meta.schema_version VALUES ({newer}, now(), 'from the future')",
        "ALTER TABLE marts.daily_sales ADD COLUMN of_the_future INTEGER",
    )
    before = account.warehouse.path.read_bytes()
    for opened in (account.warehouse.connect(), account.warehouse.look()):
        with (
            pytest.raises(WarehouseVersionError, match=f"schema version {newer}.*up to {SCHEMA_VERSION}.*newer"),
            opened,
        ):
            pass
    assert account.warehouse.path.read_bytes() == before


def test_a_copy_that_cannot_be_made_stops_the_migration(old: Account) -> None:
    (old.folder / ".warehouse.version-1.duckdb.new").mkdir()  # in the way, as a full disk would be
    before = shape(old.warehouse.path)
    with pytest.raises(IsADirectoryError):
        old.rows("SELECT 1")
    assert shape(old.warehouse.path) == before


def test_an_empty_file_is_no_older_version(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    duckdb.connect(str(warehouse.path)).close()
    with warehouse.look() as (con, _):
        assert con.execute("SELECT 1").fetchall() == [(1,)]
    assert warehouse.query("SELECT version FROM meta.schema_version").item() == SCHEMA_VERSION
