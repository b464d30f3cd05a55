"""Where and when an order belongs, and whether it counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import core
from sitoo_pipeline.transforms import Places
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import ABSENT, line, order
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG, HELSINKI, MOVED, NOWHERE, UNLISTED
from sitoo_pipeline_tests.transforms.build import assert_is, order_source, places

PLACES = places(
    stores=scenario.STORES,
    warehouses=scenario.WAREHOUSES,
    registers=scenario.REGISTERS,
    account_timezone=scenario.ACCOUNT_TIMEZONE,
    store_timezones=scenario.STORE_TIMEZONES,
)


def made(at: str = "2026-10-23T22:30:00+00:00", **given: Any) -> dict[str, Any]:
    """The row of ``core.orders`` of one order."""
    objects = [order(1, at, line("10.00", "2.50"), **given)]
    frame = transforms.orders(order_source(objects, PLACES), places=PLACES)
    assert_is(frame, core.ORDERS)
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"orderstateid": 0}, None),
        ({"orderstateid": 7}, None),
        ({"orderstateid": None}, None),
        ({"ordertypeid": 100}, "booking"),
        ({"ordertypeid": 110, "orderstateid": 20}, "parked cart"),
        ({"ordertypeid": 120}, "order type unknown_120"),
        ({"ordertypeid": ABSENT}, "order type not given"),
        ({"orderstateid": 20, "paymentstateid": 30}, "cancelled"),
        ({"orderstateid": -1}, "abandoned"),
        ({"paymentstateid": 10}, "payment not successful (10)"),
        ({"paymentstateid": 0}, "payment not successful (0)"),
        ({"paymentstateid": 21}, "payment not successful (unknown_21)"),
        ({"paymentstateid": None}, "payment state not given"),
    ],
)
def test_which_orders_count_and_why_not(given: dict[str, Any], reason: str | None) -> None:
    row = made(**given)
    assert (row["counts"], row["not_counted_reason"]) == (reason is None, reason)


@pytest.mark.parametrize(
    ("given", "store", "name"),
    [
        ({"store": "0101", "register": HELSINKI}, "0101", "Göteborg Nordstan"),
        ({"store": "101", "name": "Utan nolla"}, "101", "Utan nolla"),
        ({"register": GOTHENBURG, "warehouse": 3}, "0101", "Göteborg Nordstan"),
        ({"register": MOVED}, "0102", "Helsingfors Å"),
        ({"register": UNLISTED, "warehouse": 3}, "0103", "London “Covent Garden”"),
        ({"register": NOWHERE, "warehouse": 3}, "0103", "London “Covent Garden”"),
        ({"store": "", "name": "", "warehouse": 4}, "0104", "Stängd butik"),
        ({"warehouse": 8}, "unknown", None),
        ({"warehouse": 9}, "unknown", None),
        ({"warehouse": 999, "name": "Mässan"}, "unknown", "Mässan"),
        ({"additionaldata": None}, "unknown", None),
    ],
)
def test_the_store_by_what_the_order_says_then_by_register_then_by_warehouse(
    given: dict[str, Any], store: str, name: str | None
) -> None:
    row = made(**given)
    assert (row["store_id"], row["store_name"]) == (store, name)


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        ({"zone": "America/New_York", "store": "0102"}, "America/New_York"),
        ({"zone": "", "store": "0102"}, "Europe/Helsinki"),
        ({"zone": "Mars/Base", "register": HELSINKI}, "Europe/Helsinki"),
        ({"zone": "europe/london"}, "Europe/Stockholm"),
        ({"zone": "+02:00", "store": "0101"}, "Europe/Stockholm"),
        ({}, "Europe/Stockholm"),
    ],
)
def test_the_zone_of_the_till_then_of_the_store_then_of_the_account(given: dict[str, Any], zone: str) -> None:
    assert made(**given)["timezone"] == zone


def test_date_and_hour_are_the_stores() -> None:
    stockholm, new_york = made(zone="Europe/Stockholm"), made(zone="America/New_York")
    kathmandu = made(zone="Asia/Kathmandu")
    hour = datetime(2026, 10, 23, 22, tzinfo=UTC)
    keys = ("business_date", "local_hour", "hour_start")
    assert [stockholm[k] for k in keys] == [date(2026, 10, 24), 0, hour]
    assert [new_york[k] for k in keys] == [date(2026, 10, 23), 18, hour]
    assert [kathmandu[k] for k in keys] == [date(2026, 10, 24), 4, datetime(2026, 10, 23, 22, 15, tzinfo=UTC)]


def test_a_channel_is_pos_where_a_register_sold_it() -> None:
    assert [made(register=r)["channel"] for r in (GOTHENBURG, UNLISTED, None, "")] == ["pos", "pos", "online", "online"]


def test_an_order_keeps_the_date_under_which_it_was_loaded() -> None:
    source = order_source([order(1, "2026-10-23T22:30:00+00:00", store="0101")], PLACES)
    elsewhere = Places(
        account_timezone="America/New_York",
        stores=PLACES.stores,
        warehouses=PLACES.warehouses,
        registers=PLACES.registers,
    )
    row = transforms.orders(source, places=elsewhere).row(0, named=True)
    assert (row["business_date"], row["local_hour"]) == (date(2026, 10, 24), 18)


def test_placing_keeps_the_hints_as_they_are() -> None:
    source = order_source(scenario.ORDERS, PLACES).drop("business_date").reverse()
    placed = transforms.place_orders(source, places=PLACES)
    assert placed.select(source.columns).equals(source)


def test_a_zone_of_the_settings_that_does_not_exist_is_refused() -> None:
    frames = {"stores": PLACES.stores, "warehouses": PLACES.warehouses, "registers": PLACES.registers}
    with pytest.raises(ValueError, match="'Mars/Base' is no IANA time zone"):
        Places(account_timezone="Europe/Stockholm", store_timezones={"1": "Mars/Base"}, **frames)
    assert "Göteborg" not in repr(PLACES)


def test_the_zones_of_stores() -> None:
    zones = dict(PLACES.stores.select("sitoo_store_id", "timezone").iter_rows())
    assert (zones[1], zones[2], zones[5]) == ("Europe/Stockholm", "Europe/Helsinki", "Europe/Stockholm")
    assert PLACES.warehouses.filter(pl.col("store_id").is_null())["warehouse_id"].to_list() == [5, 8, 9]
    assert PLACES.registers.filter(pl.col("store_id").is_null())["register_id"].to_list() == [NOWHERE]
