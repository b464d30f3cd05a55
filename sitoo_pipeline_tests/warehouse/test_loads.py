"""Loading again: what is replaced, what is left alone, what is taken away."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline.tables import raw
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import INSTANT
from sitoo_pipeline.warehouse import differences, failed_load, load_dated, loaded_dates
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


@pytest.mark.parametrize("together", [1, 100_000], ids=["a date by itself", "dates together"])
@pytest.mark.parametrize("dates", [[DAY, NEXT_DAY], [DAY]], ids=["both asked for", "one asked for"])
def test_an_object_that_moved_stands_once(
    account: Account, dates: list[date], together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sitoo_pipeline.warehouse.raw._TOGETHER", together)
    account.load([order(1, at=NEXT_NOON), order(2, at=NEXT_NOON)], dates=[NEXT_DAY])
    pages = [order(1), order(2, at=NEXT_NOON)]
    account.load(pages, dates=dates, run_id="moving")

    assert account.orders() == [(1, DAY), (2, NEXT_DAY)]
    latest = account.rows(
        "SELECT row_count, run_id FROM meta.loads WHERE business_date = ? ORDER BY finished_at DESC LIMIT 1", NEXT_DAY
    )
    assert latest == [(1, "moving")]


@pytest.mark.parametrize("together", [1, 2, 3, 100_000])
def test_dates_written_together_or_not_are_the_same(
    account: Account, tmp_path: Path, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates are in one transaction or in several by how many objects they have; objects move to and fro among them."""
    dates = [BEFORE, DAY, NEXT_DAY]
    first = [order(n, at=NOON + 86400 * (n % 3 - 1)) for n in range(7)]
    second = [order(n, at=NOON + 86400 * ((n + n // 3) % 3 - 1)) for n in range(7)]
    fresh = Account(tmp_path / "fresh")
    fresh.load(second, dates=dates)
    monkeypatch.setattr("sitoo_pipeline.warehouse.raw._TOGETHER", together)
    account.load(first[:3], first[3:], dates=dates)
    moved = account.load(second[:3], second[3:], dates=dates)

    assert {loaded.status for loaded in moved.values()} == {"loaded"}
    assert account.records(raw.ORDERS) == fresh.records(raw.ORDERS)
    again = account.load(second, dates=dates)
    assert {loaded.status for loaded in again.values()} == {"unchanged"}
    assert {day: loaded.content_hash for day, loaded in again.items()} == {
        day: loaded.content_hash for day, loaded in moved.items()
    }


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

    def differing(*numbers: int, whole: Collection[date] = ()) -> set[date]:
        found = differences(
            account.warehouse,
            raw.ORDERS,
            account.land({"items": [item for item in new if item["orderid"] in numbers]}),
            layout="envelope",
            landing=account.landing,
            hints=[CLOCK],
            dating=in_utc,
            mark="orderid",
            whole=whole,
        )
        assert found.highest == max(number for number in numbers if number != 5)
        return set(found.dates)

    assert differing(1) == set()
    assert differing(1, 2) == {DAY}
    assert differing(3) == {DAY, NEXT_DAY}
    assert differing(4, 5) == {BEFORE, DAY}
    account.load([order(1), order(2), order(3), new[4]])
    assert differing(4, 5) == {BEFORE}, "what was refused is known"
    # Of a date that is asked for whole, what does not come back is a difference too.
    assert differing(1, whole=[NEXT_DAY]) == set()
    assert differing(1, whole=[DAY]) == {DAY}
    assert account.orders() == [(1, DAY), (2, DAY), (3, DAY)]
