"""Loading again: what is replaced, what is left alone, what is taken away, and what a failure leaves behind."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from sitoo_pipeline.tables import meta, raw
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import INSTANT
from sitoo_pipeline.warehouse import differing_dates, failed_load, load_dated, loaded_dates
from sitoo_pipeline_tests.warehouse.support import (
    DAY,
    NEXT_DAY,
    NEXT_NOON,
    NOON,
    STARTED,
    Account,
    documented,
    in_utc,
    order,
)

BEFORE = DAY - timedelta(days=1)
CLOCK = Column("at", INSTANT, source="o.orderdate")


def audit(account: Account) -> list[tuple[Any, ...]]:
    return account.rows("SELECT orderid, _loaded_at, _run_id, _landing_file FROM raw.orders ORDER BY 1")


def test_an_identical_load_writes_nothing(account: Account) -> None:
    first = account.load([order(1), order(2)], run_id="first")[DAY]
    rows = audit(account)
    second = account.load([order(2)], [order(1)], run_id="second")[DAY]

    assert (first.status, second.status) == ("loaded", "unchanged")
    assert (first.changed, second.changed) == (True, False)
    assert (first.rows, second.rows) == (2, 2)
    assert audit(account) == rows
    assert {row[2] for row in rows} == {"first"}


FIRST_LINE, *OTHER_LINES = documented("order")["orderitems"]
CHANGES: list[dict[str, Any]] = [
    {},
    {"comment": "another"},
    {"moneytotal_gross_all": "431.01"},
    {"warehouseid": 1},
    {"payments": None},
    {"reservedpayments": []},
    {"additionaldata": None},
    {"additionaldata": {"store-name": ""}},
    {"orderitems": [{**FIRST_LINE, "salestaxes": None}, *OTHER_LINES]},
    {"orderitems": [{**FIRST_LINE, "additionaldata": {"a": "b"}}, *OTHER_LINES]},
    {"orderitems": [*OTHER_LINES, FIRST_LINE]},
]
"""What can change in an order; null and empty are different contents. The first changes nothing."""


def test_a_reload_leaves_the_same_rows_as_a_first_load(account: Account, tmp_path: Path) -> None:
    days = [DAY + timedelta(days=number) for number, _ in enumerate(CHANGES)]
    before = [order(number, at=NOON + number * 86400) for number, _ in enumerate(CHANGES)]
    after = [item | change for item, change in zip(before, CHANGES, strict=True)]
    fresh = Account(tmp_path / "fresh")
    fresh.load(after, dates=days)
    account.load(before, dates=days, run_id="first")
    reloaded = account.load(after, dates=days, run_id="again")

    assert [reloaded[day].status for day in days] == ["unchanged", *["loaded"] * (len(days) - 1)]
    assert [row[2] for row in audit(account)] == ["first", *["again"] * (len(days) - 1)]
    assert account.records(raw.ORDERS) == fresh.records(raw.ORDERS)


def test_a_date_that_became_empty_is_emptied(account: Account) -> None:
    account.load([order(1), order(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    emptied = account.load([order(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])

    assert (emptied[DAY].status, emptied[DAY].rows) == ("loaded", 0)
    assert emptied[NEXT_DAY].status == "unchanged"
    assert account.orders() == [(2, NEXT_DAY)]


def test_an_empty_date_is_loaded_the_first_time_and_then_unchanged(account: Account) -> None:
    first, second = account.load()[DAY], account.load([])[DAY]

    assert (first.status, second.status) == ("loaded", "unchanged")
    assert account.rows("SELECT row_count, landing_folder IS NULL FROM meta.loads ORDER BY finished_at") == [
        (0, True),
        (0, False),
    ]


def test_objects_of_other_dates_are_left_alone(account: Account) -> None:
    account.load([order(1, at=NEXT_NOON)], dates=[NEXT_DAY])
    account.load([order(2), order(3, at=NEXT_NOON), order(4, at=NOON - 86400)])

    assert account.orders() == [(1, NEXT_DAY), (2, DAY)]


@pytest.mark.parametrize("dates", [[DAY, NEXT_DAY], [DAY]], ids=["both asked for", "one asked for"])
def test_an_object_that_moved_stands_once(account: Account, dates: list[date]) -> None:
    account.load([order(1, at=NEXT_NOON), order(2, at=NEXT_NOON)], dates=[NEXT_DAY])
    pages = [order(1), order(2, at=NEXT_NOON)]
    account.load(pages, dates=dates, run_id="moving")

    assert account.orders() == [(1, DAY), (2, NEXT_DAY)]
    latest = account.rows(
        "SELECT row_count, run_id FROM meta.loads WHERE business_date = ? ORDER BY finished_at DESC LIMIT 1", NEXT_DAY
    )
    assert latest == [(1, "moving")]


def test_the_date_that_an_object_left_says_so(account: Account) -> None:
    account.load([order(1, at=NEXT_NOON)], dates=[NEXT_DAY])
    account.load([order(1)])

    said = account.rows(
        "SELECT status, row_count, message FROM meta.loads WHERE business_date = ? ORDER BY finished_at", NEXT_DAY
    )
    assert said == [("loaded", 1, None), ("loaded", 0, f"objects moved to {DAY}")]


def test_of_an_object_on_several_pages_the_last_one_counts(account: Account) -> None:
    first, last = order(1, comment="first"), order(1, comment="last")
    loaded = account.load([order(2), first], [last, order(3)], [order(3)])

    assert loaded[DAY].rows == 3
    assert account.rows("SELECT comment, _landing_file FROM raw.orders WHERE orderid = 1") == [
        ("last", "000/0001.json.gz")
    ]


def test_the_last_one_on_a_page_and_the_last_of_many_pages(account: Account) -> None:
    """Pages count in their order, which is not that of their names."""
    files = account.land(*({"items": [order(1, comment=f"{n}"), order(1, comment=f"{n}, again")]} for n in range(11)))
    files = [file.rename(file.with_name(f"{number}.json.gz")) for number, file in enumerate(files)]
    load_dated(
        account.warehouse,
        raw.ORDERS,
        files,
        layout="envelope",
        landing=account.landing,
        dates=[DAY],
        hints=[CLOCK],
        dating=in_utc,
        run_id="run",
        started_at=STARTED,
    )

    assert account.rows("SELECT comment, _landing_file FROM raw.orders") == [("10, again", "000/10.json.gz")]


def test_every_date_is_recorded_with_what_it_took(account: Account) -> None:
    account.load(
        [order(1), order(2, moneytotal_net="1,0")], [order(3, at=NEXT_NOON)], dates=[DAY, NEXT_DAY], run_id="r"
    )

    columns = "table_name, business_date, status, row_count, quarantined, landing_folder, requests, run_id, started_at"
    assert account.rows(f"SELECT {columns} FROM meta.loads ORDER BY business_date") == [
        ("raw.orders", DAY, "loaded", 1, 1, "000", 2, "r", STARTED),
        ("raw.orders", NEXT_DAY, "loaded", 1, 0, "000", 2, "r", STARTED),
    ]


def test_a_failed_load_leaves_rows_and_the_date_loaded(account: Account) -> None:
    account.load([order(1)])
    failed_load(account.warehouse, raw.ORDERS, [DAY, NEXT_DAY], started_at=STARTED, run_id="r", message="no answer")

    with account.warehouse.connect() as con:
        assert loaded_dates(con, raw.ORDERS) == {DAY}
        assert loaded_dates(con, raw.Z_REPORTS) == set()
    assert account.orders() == [(1, DAY)]
    failed = account.rows("SELECT business_date, row_count, message FROM meta.loads WHERE status = 'failed' ORDER BY 1")
    assert failed == [(DAY, None, "no answer"), (NEXT_DAY, None, "no answer")]


def test_a_field_that_nobody_documented_is_named_once(account: Account) -> None:
    account.load([order(1)], unknown_fields=["orderitems.colour", "mood"], run_id="first")
    account.load([order(1)], unknown_fields=["mood", "weather"], run_id="second")
    account.load_list(documented("sites"), table=raw.SITES, unknown_fields=["mood"], run_id="third")

    assert account.rows("SELECT table_name, path, first_run_id FROM meta.drift ORDER BY ALL") == [
        ("raw.orders", "mood", "first"),
        ("raw.orders", "orderitems.colour", "first"),
        ("raw.orders", "weather", "second"),
        ("raw.sites", "mood", "third"),
    ]


def test_reference_data_is_replaced_whole(account: Account) -> None:
    stores = documented("stores")
    first = account.load_list(stores, table=raw.STORES, run_id="first")
    same = account.load_list({"items": stores["items"][::-1]}, table=raw.STORES, run_id="second")
    assert (first.status, same.status) == ("loaded", "unchanged")
    assert account.rows("SELECT DISTINCT _run_id FROM raw.stores") == [("first",)]

    account.load_list({"items": stores["items"][1:]}, table=raw.STORES)
    assert [row["storeid"] for row in account.records(raw.STORES)] == [2]

    emptied, still_empty = (account.load_list({"items": []}, table=raw.STORES) for _ in range(2))
    assert (emptied.status, still_empty.status) == ("loaded", "unchanged")
    assert account.records(raw.STORES) == []


# Quarantine, loaded again.


def test_quarantine_is_replaced_with_its_date(account: Account) -> None:
    bad, worse = order(1, moneytotal_net="1,00"), order(2, at=NEXT_NOON, moneytotal_net="x")
    account.load([bad, worse], dates=[DAY, NEXT_DAY], run_id="first")
    stood = account.rows("FROM meta.quarantine ORDER BY ALL")
    again = account.load([bad, worse], dates=[DAY, NEXT_DAY], run_id="second")
    assert account.rows("FROM meta.quarantine ORDER BY ALL") == stood
    assert {part.quarantined for part in again.values()} == {1}

    account.load([order(1)])
    assert [key for *_, key, _ in account.refused()] == ["2"]
    assert account.orders() == [(1, DAY)]


def test_an_object_that_turned_bad_leaves_its_table(account: Account) -> None:
    account.load([order(1), order(2)])
    loaded = account.load([order(1, moneytotal_net="x"), order(2)])[DAY]

    assert (loaded.rows, loaded.quarantined) == (1, 1)
    assert account.orders() == [(2, DAY)]


def test_a_refused_object_without_a_date_stands_once(account: Account) -> None:
    """It comes back in the bodies of every period that is asked for."""
    undated = order(1, at=None)
    account.load([undated], dates=[DAY, NEXT_DAY])
    account.load([undated], dates=[NEXT_DAY])
    account.load([undated], dates=[DAY])
    assert account.rows("SELECT business_date FROM meta.quarantine") == [(DAY,)]

    account.load([], dates=[DAY])
    assert account.refused() == []


def test_a_refused_object_is_dated_by_what_can_be_read_of_it(account: Account) -> None:
    """Hints that are broken are taken as absent."""
    bad = order(1, at=NEXT_NOON, additionaldata="x", warehouseid="y")
    hints = [
        CLOCK,
        Column("store", INSTANT, source="o.additionaldata['store-name']"),
        Column("warehouse", INSTANT, source="o.warehouseid"),
    ]
    loaded = account.load([bad], dates=[DAY, NEXT_DAY], hints=hints)

    assert {day: part.quarantined for day, part in loaded.items()} == {DAY: 0, NEXT_DAY: 1}
    assert account.rows("SELECT business_date FROM meta.quarantine") == [(NEXT_DAY,)]


# Bodies.


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


# Failures.


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
        differing_dates(
            account.warehouse, raw.ORDERS, [file], layout="envelope", landing=account.landing, hints=[], dating=in_utc
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


# What differs, before anything is loaded.


def test_the_dates_of_what_differs(account: Account) -> None:
    account.load([order(1), order(2), order(3)])
    new = [
        order(1),
        order(2, comment="new"),
        order(3, at=NEXT_NOON),
        order(4, at=NOON - 86400),
        order(5, moneytotal_net="x"),
    ]

    def differing(*numbers: int) -> set[date]:
        return differing_dates(
            account.warehouse,
            raw.ORDERS,
            account.land({"items": [item for item in new if item["orderid"] in numbers]}),
            layout="envelope",
            landing=account.landing,
            hints=[CLOCK],
            dating=in_utc,
        )

    assert differing(1) == set()
    assert differing(1, 2) == {DAY}
    assert differing(3) == {DAY, NEXT_DAY}
    assert differing(4, 5) == {BEFORE}
    assert account.orders() == [(1, DAY), (2, DAY), (3, DAY)]
