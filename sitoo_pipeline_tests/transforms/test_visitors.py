"""In which hour visitors came, in which row of the marts they stand, and where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import core, raw
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import Json, line, order
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG, NEW_YORK
from sitoo_pipeline_tests.transforms.build import Core, build

DAY, AUTUMN, SPRING = date(2026, 3, 2), date(2026, 10, 25), date(2026, 3, 29)
Given = tuple[str, date, str, int]


def built(*orders: Json) -> Core:
    return build(
        {**scenario.OBJECTS, "orders": orders, "z_reports": [], "warehouse_transactions": []},
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    )


def visitors(tables: Core, *given: Given) -> pl.DataFrame:
    counts = pl.DataFrame(
        [(*one, "cm_visitors", "f.gz") for one in given], schema=raw.VISITORS.polars_schema, orient="row"
    )
    return transforms.visitors(counts, orders=tables.orders, places=tables.places)


def marts(tables: Core, *given: Given) -> tuple[pl.DataFrame, pl.DataFrame]:
    came = {"visitors": visitors(tables, *given), "stores": tables.stores}
    hourly = transforms.hourly_sales(account="a", orders=tables.orders, lines=tables.lines, **came)
    return hourly, transforms.daily_sales(hourly, account="a", **came)


def picked(frame: pl.DataFrame, *columns: str) -> Sequence[tuple[Any, ...]]:
    return frame.select(columns).rows()


def sale(number: int, at: str, store: str = "0101", **more: Any) -> Json:
    lines = more.pop("lines", [line("100.00", "25.00")])
    return order(number, at, *lines, **{"register": GOTHENBURG, "warehouse": 1, "store": store, **more})


@pytest.mark.parametrize(
    ("day", "period", "starts_at", "local_hour"),
    [
        (DAY, "09:00", "2026-03-02 08:00", 9),
        (DAY, "09:45", "2026-03-02 08:00", 9),
        (AUTUMN, "02:00", "2026-10-25 00:00", 2),  # comes twice: the first
        (AUTUMN, "2026-10-25T01:10:00Z", "2026-10-25 01:00", 2),  # an instant says which
        (SPRING, "02:00", "2026-03-29 01:00", 3),  # does not exist: a clock that was not set yet
        (SPRING, "03:00", "2026-03-29 01:00", 3),
        (DAY, "day", "2026-03-01 23:00", None),
    ],
)
def test_when_a_count_was(day: date, period: str, starts_at: str, local_hour: int | None) -> None:
    found = visitors(built(), ("0101", day, period, 5))
    at = datetime.fromisoformat(starts_at).replace(tzinfo=UTC)
    assert picked(found, "starts_at", "local_hour", "timezone") == [(at, local_hour, "Europe/Stockholm")]


def test_parts_of_an_hour_add_up_and_the_day_counts_only_without_hours() -> None:
    found = visitors(
        built(),
        ("0101", DAY, "09:00", 5), ("0101", DAY, "09:30", 4), ("0101", DAY, "day", 70), ("0103", DAY, "day", 8),
    )  # fmt: skip
    assert picked(found, "store_id", "period", "visitors") == [("0101", "hour", 9), ("0103", "day", 8)]


def test_the_clock_of_a_store_is_that_of_its_tills_on_the_date() -> None:
    """New York is not in the settings; without a sale the account's zone is all that is known."""
    sold = sale(1, "2026-03-02T12:00:00-05:00", "NYC-1", register=NEW_YORK, zone="America/New_York")
    online = order(2, "2026-03-02T12:00:00+01:00", line("1.00", "0.25"), store="0102", zone="Asia/Tokyo")
    given = [("NYC-1", DAY, "10:00", 5), ("0102", DAY, "10:00", 6)]
    zones = dict(picked(visitors(built(sold, online), *given), "store_id", "timezone"))
    assert zones == {"NYC-1": "America/New_York", "0102": "Europe/Helsinki"}
    assert set(visitors(built(), *given)["timezone"]) == {"Europe/Stockholm", "Europe/Helsinki"}


def test_an_hour_with_visitors_and_no_sale_is_a_row_and_one_without_either_is_none() -> None:
    tables = built(sale(1, "2026-03-02T10:15:00+01:00"), sale(2, "2026-03-02T12:15:00+01:00"))
    hourly, daily = marts(
        tables,
        ("0101", DAY, "10:00", 9),
        ("0101", DAY, "11:00", 4),
        ("0101", DAY, "20:00", 0),
        ("0104", DAY, "09:00", 3),
    )
    assert picked(hourly, "store_id", "local_hour", "gross_sales", "transactions", "visitors") == [
        ("0101", 10, Decimal("125.00"), 1, 9),
        ("0101", 11, Decimal("0.00"), 0, 4),
        ("0101", 12, Decimal("125.00"), 1, None),
        ("0104", 9, Decimal("0.00"), 0, 3),
    ]
    assert set(picked(hourly, "account", "channel", "currency")) == {("a", "pos", "SEK")}
    assert picked(daily, "store_id", "transactions", "visitors") == [("0101", 2, 13), ("0104", 0, 3)]
    assert set(picked(hourly, "store_id", "store_name")) == {("0101", "Göteborg Nordstan"), ("0104", "Stängd butik")}


def test_visitors_stand_once_in_the_stores_own_currency_and_never_online() -> None:
    tables = built(
        sale(1, "2026-03-02T10:15:00+01:00", currency="EUR"),
        sale(2, "2026-03-02T10:25:00+01:00"),
        order(3, "2026-03-02T10:30:00+01:00", line("1.00", "0.25"), warehouse=1, store="0101"),
        sale(4, "2026-03-02T10:15:00+01:00", "0106", currency="NOK"),
        order(5, "2026-03-02T10:30:00+01:00", line("1.00", "0.25"), store="0106", currency="AUD"),
    )
    hourly, daily = marts(tables, ("0101", DAY, "10:00", 9), ("0106", DAY, "10:00", 5))
    expected = [
        ("0101", "online", "SEK", None),
        ("0101", "pos", "EUR", None),
        ("0101", "pos", "SEK", 9),
        ("0106", "online", "AUD", None),
        ("0106", "pos", "NOK", 5),  # Sitoo tells no currency of it
    ]
    for mart in (hourly, daily):
        assert picked(mart, "store_id", "channel", "currency", "visitors") == expected


def test_a_count_of_the_whole_day_is_in_the_day_and_in_no_hour() -> None:
    tables = built(sale(1, "2026-03-02T10:15:00+01:00"))
    hourly, daily = marts(tables, ("0101", DAY, "day", 90), ("0103", DAY, "day", 7), ("0104", DAY, "day", 0))
    assert picked(hourly, "store_id", "visitors") == [("0101", None)]
    assert picked(daily, "store_id", "currency", "transactions", "visitors") == [
        ("0101", "SEK", 1, 90),
        ("0103", "GBP", 0, 7),
    ]
    weekly = transforms.weekly_balance_hourly(account="a", hourly=hourly, stores=tables.stores, dates=[DAY])
    assert weekly["visitors"].sum() == 0


def test_the_weekly_balance_has_the_visitors_of_each_hour() -> None:
    tables = built(sale(1, "2026-10-25T10:15:00+01:00"))
    hourly, _ = marts(
        tables, ("0101", AUTUMN, "02:00", 2), ("0101", AUTUMN, "2026-10-25T01:00:00Z", 3), ("0101", AUTUMN, "10:00", 9)
    )
    weekly = transforms.weekly_balance_hourly(account="a", hourly=hourly, stores=tables.stores, dates=[AUTUMN])
    of_store = weekly.filter(pl.col("store_id") == "0101")
    assert of_store.height == 24
    assert picked(of_store.filter(pl.col("visitors") > 0), "hour", "transactions", "visitors") == [
        (2, 0, 5),
        (10, 1, 9),
    ]


def test_without_anybody_who_counts_nothing_changes() -> None:
    tables = built(sale(1, "2026-03-02T10:15:00+01:00"))
    plain = transforms.hourly_sales(account="a", orders=tables.orders, lines=tables.lines)
    hourly, daily = marts(tables)
    assert hourly.equals(plain)
    assert daily.equals(transforms.daily_sales(plain))
    assert hourly["visitors"].to_list() == [None]
    assert visitors(tables).schema == core.VISITORS.polars_schema
