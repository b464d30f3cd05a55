"""How rows are written on each kind of database: tried on those that are here, compiled for those that are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline.sinks.column_types import Instant
from sitoo_pipeline.sinks.database import DatabaseUrlError, create_table, open_engine
from sitoo_pipeline.sinks.upserts import fresh_table, merging, on_duplicate_key, upsert, upsert_through_table
from sitoo_pipeline.sinks.weekly_balance_table import TABLE

STOCK = sa.Table(
    "stock",
    sa.MetaData(),
    sa.Column("shop", sa.String(9), primary_key=True),
    sa.Column("sku", sa.String(9), primary_key=True),
    sa.Column("pieces", sa.Integer, nullable=False),
    sa.Column("written_at", Instant, nullable=False),
)
MSSQL = sa.make_url("mssql+pyodbc://").get_dialect()()
FIRST, SECOND = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def row(sku: str, pieces: int, at: datetime) -> dict[str, Any]:
    return {"shop": "0101", "sku": sku, "pieces": pieces, "written_at": at}


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(database_url)
    create_table(engine, STOCK)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


@pytest.mark.parametrize("write", [upsert, upsert_through_table])
def test_what_is_new_comes_what_differs_changes_and_the_rest_is_not_touched(
    connection: sa.Connection, write: Callable[..., None]
) -> None:
    write(connection, STOCK, [row("a", 1, FIRST), row("b", 2, FIRST)], stamp="written_at")
    write(connection, STOCK, [row("a", 1, SECOND), row("b", 3, SECOND), row("c", 4, SECOND)], stamp="written_at")
    held = connection.execute(sa.select(STOCK.c.sku, STOCK.c.pieces, STOCK.c.written_at).order_by("sku")).all()
    assert [tuple(each) for each in held] == [("a", 1, FIRST), ("b", 3, SECOND), ("c", 4, SECOND)]
    assert sa.inspect(connection).get_table_names() == ["stock"]


def test_a_key_twice_in_a_batch_never_reaches_the_database(connection: sa.Connection) -> None:
    upsert(connection, STOCK, [row("a", 1, FIRST)], stamp="written_at")
    with pytest.raises(ValueError, match=r"stock: a key more than once in a batch: \('0101', 'b'\)"):
        upsert(connection, STOCK, [row("a", 2, SECOND), row("b", 1, SECOND), row("b", 2, SECOND)], stamp="written_at")
    assert connection.execute(sa.select(STOCK.c.pieces)).scalars().all() == [1]
    upsert(connection, STOCK, [], stamp="written_at")


def compiled(statement: sa.ClauseElement, dialect: sa.Dialect) -> str:
    return " ".join(str(statement.compile(dialect=dialect)).split())


def test_mysql_stamps_before_it_assigns_what_the_stamp_depends_on() -> None:
    said = compiled(on_duplicate_key(STOCK, "written_at"), mysql.dialect())
    assert said.startswith("INSERT INTO stock (shop, sku, pieces, written_at) VALUES (")
    [assigned] = re.findall(r"ON DUPLICATE KEY UPDATE (.*)", said)
    assert assigned == (
        "written_at = if(stock.pieces != VALUES(pieces), VALUES(written_at), stock.written_at), pieces = VALUES(pieces)"
    )


def test_sql_server_goes_through_a_temporary_table() -> None:
    fresh = fresh_table(MSSQL, STOCK)
    update, insert = (compiled(statement, MSSQL) for statement in merging(STOCK, fresh, "written_at"))
    assert fresh.name == "#stock_fresh"
    assert update == (
        "UPDATE stock SET pieces=[#stock_fresh].pieces, written_at=[#stock_fresh].written_at "
        "FROM stock, [#stock_fresh] WHERE stock.shop = [#stock_fresh].shop AND stock.sku = [#stock_fresh].sku "
        "AND stock.pieces != [#stock_fresh].pieces"
    )
    assert re.search(r"WHERE NOT \(EXISTS \(SELECT 1 FROM stock WITH \(UPDLOCK, HOLDLOCK\) WHERE stock.shop = ", insert)
    assert "MERGE" not in update + insert


@pytest.mark.parametrize("dialect", [mysql.dialect(), MSSQL], ids=lambda dialect: dialect.name)
def test_the_weekly_balance_can_be_a_table_there(dialect: sa.Dialect) -> None:
    said = str(sa.schema.CreateTable(TABLE).compile(dialect=dialect))
    types = dict(re.findall(r"^\s+(\w+) ([A-Z]+(?:\([\d, ]+\))?)", said, flags=re.MULTILINE))
    assert types["gross_sales"] == "NUMERIC(18, 2)"
    assert types["store_id"] == {"mysql": "VARCHAR(191)", "mssql": "NVARCHAR(100)"}[dialect.name]
    assert types["updated_at"] == {"mysql": "DATETIME(6)", "mssql": "DATETIMEOFFSET"}[dialect.name]
    assert {"mysql": "utf8mb4_bin", "mssql": "BIN2"}[dialect.name] in said


def test_mysql_keeps_the_clock_of_utc() -> None:
    bind = Instant().bind_processor(mysql.dialect())
    assert bind
    assert bind(datetime.fromisoformat("2026-06-01T12:00+02:00")) == datetime(2026, 6, 1, 10)  # noqa: DTZ001
    assert bind(None) is None


def test_the_ledger_is_kept_where_it_was_tried() -> None:
    with pytest.raises(DatabaseUrlError, match="'mysql' are not supported here: use sqlite, postgresql"):
        Ledger("mysql://someone:secret@host/one")
    with pytest.raises(DatabaseUrlError, match="'oracle' are not supported here"):
        open_engine("oracle://someone:secret@host/one")
    with pytest.raises(DatabaseUrlError, match=r"the driver of 'mysql\+pymysql' is not installed"):
        open_engine("mysql://someone:secret@host/one")
