"""Frames into tables: validated, replaced date by date, left alone where nothing changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest

from sitoo_pipeline.tables import Table, core, marts
from sitoo_pipeline.warehouse import Loaded, loaded_dates, loaded_dates_of, replace_partitions, replace_whole
from sitoo_pipeline.warehouse.frames import SchemaMismatchError
from sitoo_pipeline.warehouse.sources import table_frame
from sitoo_pipeline_tests.warehouse.support import DAY, NEXT_DAY, STARTED, Account, frame

TABLE = core.ORDER_PAYMENTS


def payment(order_id: int, day: date = DAY, amount: str = "1.00", name: str = "Card") -> dict[str, Any]:
    amounts = {"money_amount": Decimal(amount), "is_virtual": False, "name": name}
    return {"order_id": order_id, "payment_no": 0, "business_date": day, **amounts}


def write(
    account: Account, *rows: dict[str, Any], dates: tuple[date, ...] = (DAY,), run_id: str = "run"
) -> dict[date, Loaded]:
    frames = {TABLE: frame(TABLE, *rows)}
    return replace_partitions(account.warehouse, frames, dates=dates, run_id=run_id, started_at=STARTED)[TABLE]


def there(account: Account) -> list[tuple[Any, ...]]:
    return account.rows("SELECT order_id, business_date, money_amount, _run_id FROM core.order_payments ORDER BY 1")


def test_values_come_back_as_they_went_in(account: Account) -> None:
    instant = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    hour = {
        **{c.name: 0 if c.type.kind == "whole number" else Decimal("-0.01") for c in marts.HOURLY_SALES.columns[8:]},
        "account": "a",
        "store_id": "200",
        "store_name": None,
        "channel": "pos",
        "currency": "SEK",
        "business_date": DAY,
        "hour_start": instant,
        "local_hour": 2,
        "visitors": None,
        "gross_sales": Decimal("1234567890123456.78"),
    }
    given = frame(marts.HOURLY_SALES, hour)
    replace_partitions(account.warehouse, {marts.HOURLY_SALES: given}, dates=[DAY], run_id="r", started_at=STARTED)

    with account.warehouse.connect() as con:
        found = table_frame(con, marts.HOURLY_SALES, dates=[DAY])
        assert table_frame(con, marts.HOURLY_SALES, dates=[NEXT_DAY]).is_empty()
    assert found.equals(given)
    assert found.schema == marts.HOURLY_SALES.polars_schema


def test_each_date_is_replaced_and_the_others_stay(account: Account) -> None:
    write(account, payment(1), payment(2, NEXT_DAY), dates=(DAY, NEXT_DAY), run_id="first")
    done = write(account, payment(3, NEXT_DAY), payment(2, NEXT_DAY), dates=(NEXT_DAY,), run_id="second")

    assert list(done) == [NEXT_DAY]
    assert [row[::3] for row in there(account)] == [(1, "first"), (2, "second"), (3, "second")]


def test_what_did_not_change_is_not_written_again(account: Account) -> None:
    first = write(account, payment(1), payment(2, NEXT_DAY), dates=(DAY, NEXT_DAY), run_id="first")
    second = write(account, payment(2, NEXT_DAY, "2.00"), payment(1), dates=(NEXT_DAY, DAY), run_id="second")

    assert {day: part.status for day, part in second.items()} == {DAY: "unchanged", NEXT_DAY: "loaded"}
    assert (first[DAY].content_hash, first[DAY].rows) == (second[DAY].content_hash, second[DAY].rows)
    assert [row[::3] for row in there(account)] == [(1, "first"), (2, "second")]
    recorded = account.rows("SELECT business_date, status, row_count, run_id FROM meta.loads ORDER BY ALL")
    assert recorded == [
        (DAY, "loaded", 1, "first"),
        (DAY, "unchanged", 1, "second"),
        (NEXT_DAY, "loaded", 1, "first"),
        (NEXT_DAY, "loaded", 1, "second"),
    ]


def test_a_date_without_rows_is_emptied_and_loaded(account: Account) -> None:
    write(account, payment(1))
    assert write(account)[DAY].status == "loaded"
    assert there(account) == []
    assert write(account, dates=(NEXT_DAY,))[NEXT_DAY].status == "loaded"
    assert write(account, dates=(NEXT_DAY,))[NEXT_DAY].status == "unchanged"
    with account.warehouse.connect() as con:
        assert loaded_dates(con, TABLE) == {DAY, NEXT_DAY}
        for among in ({NEXT_DAY, NEXT_DAY + timedelta(days=1)}, set[date]()):
            assert loaded_dates_of(con, [TABLE, core.ORDERS, core.STORES], among=among) == {
                TABLE: among & {NEXT_DAY},
                core.ORDERS: set(),
            }


def test_a_table_without_dates_is_replaced_whole(account: Account) -> None:
    def stores(*numbers: int, run_id: str = "r") -> Loaded:
        rows = frame(core.STORES, *({"sitoo_store_id": n, "timezone": "UTC"} for n in numbers))
        return replace_whole(account.warehouse, core.STORES, rows, run_id=run_id, started_at=STARTED)

    assert [stores(1, 2).status, stores(2, 1).status, stores(2, 3).status] == ["loaded", "unchanged", "loaded"]
    assert account.rows("SELECT sitoo_store_id FROM core.stores ORDER BY 1") == [(2,), (3,)]
    assert [stores().status, stores().status] == ["loaded", "unchanged"]
    with account.warehouse.connect() as con:
        assert loaded_dates(con, core.STORES) == set()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda rows: rows.drop("ref_id"), ["ref_id: column_in_dataframe"]),
        (lambda rows: rows.with_columns(nickname=pl.lit("Bo")), ["nickname: column_in_schema"]),
        (lambda rows: rows.select(*rows.columns[1:], rows.columns[0]), ["column_ordered"]),
        (lambda rows: rows.with_columns(pl.lit(4).alias("name")), ["name: dtype"]),
        (lambda rows: rows.with_columns(pl.col("money_amount").cast(pl.Decimal(18, 3))), ["money_amount: dtype"]),
        (lambda rows: rows.with_columns(is_virtual=pl.lit(None, pl.Boolean)), ["is_virtual: not_nullable (2 x)"]),
        (lambda rows: pl.concat([rows, rows]), ["order_id, payment_no: multiple_fields_uniqueness (4 x)"]),
        (
            lambda rows: rows.drop("ref_id").with_columns(is_virtual=pl.lit(None, pl.Boolean)),
            ["ref_id: column_in_dataframe (1 x)", "is_virtual: not_nullable (2 x)"],
        ),
    ],
    ids=["missing", "unknown", "order", "type", "scale", "null", "key", "two faults"],
)
def test_a_frame_that_is_not_what_was_declared(account: Account, wrong: Any, said: list[str]) -> None:
    write(account, payment(1))
    rows = wrong(frame(TABLE, payment(7, name="Anna Secret", amount="424242.42"), payment(8, name="Anna Secret")))

    with pytest.raises(SchemaMismatchError) as error:
        replace_partitions(account.warehouse, {TABLE: rows}, dates=[DAY], run_id="r", started_at=STARTED)

    text = str(error.value)
    assert text.startswith("core.order_payments refused a frame of ")
    assert [part for part in said if part not in text] == []
    assert [value for value in ("Anna", "Secret", "424242", "Bo;") if value in text] == []
    assert [row[0] for row in there(account)] == [1]


def test_rows_of_a_date_that_was_not_asked_for(account: Account) -> None:
    with pytest.raises(SchemaMismatchError, match=f"rows of {NEXT_DAY}, which were not asked for"):
        write(account, payment(1), payment(2, NEXT_DAY))
    assert there(account) == []


def test_dates_are_transactions_of_their_own(account: Account) -> None:
    """DuckDB refuses the second date when its old rows are gone already: the first is there, the second as it was."""
    table: Table = TABLE
    with account.warehouse.connect() as con:
        con.execute("DROP TABLE core.order_payments")
        con.execute(f"{table.ddl.rpartition(')')[0]}, CHECK (money_amount < 100))")
    write(account, payment(1), payment(2, NEXT_DAY), dates=(DAY, NEXT_DAY), run_id="first")

    with pytest.raises(duckdb.ConstraintException):
        write(account, payment(3), payment(4, NEXT_DAY, "100.00"), dates=(DAY, NEXT_DAY), run_id="second")

    assert [row[::3] for row in there(account)] == [(2, "first"), (3, "second")]
    assert account.rows("SELECT business_date FROM meta.loads WHERE run_id = 'second'") == [(DAY,)]
