"""Bodies that are odd, broken or huge, and what a failure leaves behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sitoo_pipeline.tables import meta, raw
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import INSTANT
from sitoo_pipeline.warehouse import differences
from sitoo_pipeline_tests.warehouse.support import DAY, NEXT_DAY, NEXT_NOON, NOON, Account, in_utc, order

BEFORE = DAY - timedelta(days=1)
CLOCK = Column("at", INSTANT, source="o.orderdate")


def test_names_with_quotes_and_stars(tmp_path: Path) -> None:
    account = Account(tmp_path / 'Åhléns\' [shop] * "1"')
    account.load([order(1), order(2, moneytotal_net="x")], [order(3, orderitems=1)])

    assert account.orders() == [(1, DAY)]
    assert sorted(account.rows("SELECT _landing_file FROM meta.quarantine")) == [
        ("000/0000.json.gz",),
        ("000/0001.json.gz",),
    ]


def test_a_huge_object(account: Account) -> None:
    account.load([order(1, comment="long " * 8_000_000)])
    assert account.rows("SELECT length(comment) FROM raw.orders") == [(40_000_000,)]


def test_any_text_comes_back_as_it_was(account: Account) -> None:
    text = "Ünïcode 🛍 \"quoted\" 'single' \\ back\tslash\n{'a': [1]} ; -- %"
    account.load([order(1, comment=text, additionaldata={text: text})])

    row = account.records(raw.ORDERS)[0]
    assert (row["comment"], row["additionaldata"]) == (text, {text: text})


@pytest.mark.parametrize(
    "body", [b'{"items": [{"orderid": 1,', b"<html>", b'{"items": [{"orderid": 1}]} trailing'], ids=str
)
def test_a_body_that_is_no_json_fails_the_load_and_leaves_the_rows(account: Account, body: bytes) -> None:
    account.load([order(1)])
    with pytest.raises(ValueError):
        account.load([order(2)], body)
    assert account.orders() == [(1, DAY)]


def test_a_cut_file_fails_the_load_and_leaves_the_rows(account: Account) -> None:
    account.load([order(1)])
    file = account.land({"items": [order(2)]})[0]
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises((EOFError, duckdb.Error)):
        differences(
            account.warehouse,
            raw.ORDERS,
            [file],
            layout="envelope",
            landing=account.landing,
            hints=[],
            dating=in_utc,
            mark="orderid",
        )
    assert account.orders() == [(1, DAY)]


def test_an_exception_before_anything_is_written(account: Account) -> None:
    account.load([order(1)])

    def failing(hints: pl.DataFrame) -> pl.DataFrame:
        raise LookupError("no such zone")

    with pytest.raises(LookupError):
        account.load([order(2)], dating=failing)
    assert account.orders() == [(1, DAY)]


def test_dates_are_whole_or_as_before_each_for_itself(account: Account) -> None:
    """The second date fails in its last statement; the first is there, the second as it was, and nothing moved."""
    account.load([order(1), order(2, at=NEXT_NOON), order(3, at=NOON - 86400)], dates=[BEFORE, DAY, NEXT_DAY])
    names = [*meta.QUARANTINE.ddl.partition("(")[2].rpartition(")")[0].split(", ")]
    with account.warehouse.connect() as con:
        con.execute("DROP TABLE meta.quarantine")
        con.execute(f"CREATE TABLE meta.quarantine ({', '.join(names)}, CHECK (object_key != '9'))")
    before = account.rows("SELECT business_date, status FROM meta.loads ORDER BY ALL")

    with pytest.raises(duckdb.ConstraintException):
        account.load(
            [
                order(4),
                order(3, at=NEXT_NOON),
                order(9, at=NEXT_NOON, moneytotal_net="x"),
                order(8, moneytotal_net="x"),
            ],
            dates=[DAY, NEXT_DAY],
        )

    assert account.orders() == [(2, NEXT_DAY), (3, BEFORE), (4, DAY)]
    assert [key for *_, key, _ in account.refused()] == ["8"]
    assert account.rows("SELECT business_date, status FROM meta.loads ORDER BY ALL") == sorted(
        [*before, (DAY, "loaded")]
    )
