"""Refused objects when their dates are loaded again."""

from __future__ import annotations

from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import INSTANT
from sitoo_pipeline_tests.warehouse.support import DAY, NEXT_DAY, NEXT_NOON, Account, order

CLOCK = Column("at", INSTANT, source="o.orderdate")


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
