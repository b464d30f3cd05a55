"""Hourly and daily sales, the weekly balance: the documented examples, and rules that are easy to get wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.scenario.objects import Json, line, order
from sitoo_pipeline_tests.scenario.orders import G1
from sitoo_pipeline_tests.scenario.shops import GOTHENBURG
from sitoo_pipeline_tests.transforms.build import Core, build

TILL = "{3CCB9848-155A-49E1-7CA8-5F7F78FC3067}"
EXAMPLE_ORDERS: list[Json] = [
    {
        "orderid": 11513,
        "moneytotal_gross_roundoff": "0.00",
        "orderdate": 1463041119,
        "orderstateid": 10,
        "paymentstateid": 20,
        "ordertypeid": 10,
        "registerid": TILL,
        "warehouseid": 1,
        "currencycode": "USD",
        "additionaldata": {},
        "orderitems": [line("14.15", "0.85", rate=6, group="", sku="121292-4")],
    },
    {
        "orderid": 11512,
        "moneytotal_gross_roundoff": "0.00",
        "orderdate": 1463041119,
        "orderstateid": 10,
        "paymentstateid": 20,
        "ordertypeid": 10,
        "registerid": TILL,
        "warehouseid": 1,
        "currencycode": "USD",
        "additionaldata": {"refundreasoncode-reasoncode": "RC123", "refundreasoncode-comment": "Guarantee"},
        "orderitems": [line("-2392.00", "-598.00", quantity=-1, group="", sku="44079-0")],
    },
    {
        "orderid": 11514,
        "moneytotal_gross_roundoff": "0.00",
        "orderdate": 1550669772,
        "orderstateid": 0,
        "paymentstateid": 0,
        "ordertypeid": 10,
        "registerid": None,
        "warehouseid": None,
        "currencycode": "USD",
        "additionaldata": {},
        "orderitems": [
            line("100.00", "25.00", group=""),
            line(
                "160.00", "40.00", quantity=2, discount="20.00", group="", extra={"orderitem-moneyrowdiscount": "50.00"}
            ),
            line("100.00", "6.00", rate=6, group=""),
        ],
    },
]
"""The sale, the refund and the web order of the documented answers, with their amounts, states and instants."""


def built(orders: list[Json], **lists: list[Json]) -> Core:
    return build(
        {**scenario.OBJECTS, "orders": orders, "z_reports": [], "warehouse_transactions": [], **lists},
        account_timezone=scenario.ACCOUNT_TIMEZONE,
        store_timezones=scenario.STORE_TIMEZONES,
    )


def hourly_of(tables: Core) -> pl.DataFrame:
    return transforms.hourly_sales(account="a", orders=tables.orders, lines=tables.lines)


def test_the_documented_orders() -> None:
    """The web order 11514 was never paid, so that its three lines count nowhere; paid, they would."""
    tables = built(EXAMPLE_ORDERS)
    figures = hourly_of(tables).row(0, named=True)
    assert hourly_of(tables).height == 1
    expected = {
        "store_id": "0101",
        "channel": "pos",
        "currency": "USD",
        "business_date": date(2016, 5, 12),
        "hour_start": datetime(2016, 5, 12, 8, tzinfo=UTC),
        "local_hour": 10,
        "gross_sales": Decimal("15.00"),
        "net_sales": Decimal("14.15"),
        "vat": Decimal("0.85"),
        "discounts": Decimal("0.00"),
        "returns": Decimal("2990.00"),
        "returns_net": Decimal("2392.00"),
        "transactions": 1,
        "return_transactions": 1,
        "goods_sold": 1,
        "goods_returned": 1,
    }
    assert {name: figures[name] for name in expected} == expected


def test_the_documented_web_order_once_it_is_paid() -> None:
    figures = hourly_of(built([EXAMPLE_ORDERS[2] | {"paymentstateid": 20}])).row(0, named=True)
    expected = {
        "store_id": "unknown",
        "channel": "online",
        "business_date": date(2019, 2, 20),
        "local_hour": 14,
        "gross_sales": Decimal("431.00"),
        "net_sales": Decimal("360.00"),
        "vat": Decimal("71.00"),
        "discounts": Decimal("50.00"),
        "goods_sold": 4,
        "transactions": 1,
    }
    assert {name: figures[name] for name in expected} == expected


def test_the_example_in_the_documentation() -> None:
    cart = order(
        1,
        "2026-10-23T10:00:00+02:00",
        line("200.00", "50.00", quantity=2, discount="10.00"),
        line("-200.00", "-50.00", quantity=-1),
        line("500.00", "0.00", rate=0, group="Presentkort"),
        roundoff="-0.25",
        **G1,
    )
    figures = hourly_of(built([cart])).row(0, named=True)
    amounts = {name: str(figures[name]) for name in marts.HOURLY_SALES.names[8:] if figures[name]}
    assert amounts == {
        "gross_sales": "250.00",
        "net_sales": "200.00",
        "vat": "50.00",
        "discounts": "25.00",
        "returns": "250.00",
        "returns_net": "200.00",
        "gift_card_sales": "500.00",
        "roundoff": "-0.25",
        "transactions": "1",
        "return_transactions": "1",
        "goods_sold": "2",
        "goods_returned": "1",
    }


def test_an_hour_has_a_row_if_any_order_counts_in_it() -> None:
    tables = built(
        [
            order(1, "2026-10-23T10:00:00+02:00", line("5.00", "1.25", quantity=0), **G1),
            order(2, "2026-10-23T11:00:00+02:00", roundoff="-0.25", **G1),
            order(3, "2026-10-23T12:00:00+02:00", line("5.00", "1.25"), ordertypeid=100, **G1),
        ]
    )
    hours = hourly_of(tables).select("local_hour", "transactions", "gross_sales", "roundoff").rows()
    assert hours == [(10, 0, Decimal(0), Decimal(0)), (11, 0, Decimal(0), Decimal("-0.25"))]


def test_two_names_of_one_store_are_one_row_under_the_first() -> None:
    names = [(5, "2026-10-23T10:00:00+02:00", "Ny"), (4, "2026-10-23T10:30:00+02:00", "Gammal"), (3, "", None)]
    given = [
        order(number, at or "2026-10-23T12:00:00+02:00", line("1.00", "0.25"), store="77", name=name)
        for number, at, name in names
    ]
    assert hourly_of(built(given))["store_name"].to_list() == ["Gammal", "Gammal"]


def test_one_hour_of_one_store_under_two_zones_is_one_row() -> None:
    given = [
        order(1, "2026-10-23T10:00:00+02:00", line("1.00", "0.25"), store="77", zone="Europe/Stockholm"),
        order(2, "2026-10-23T10:10:00+02:00", line("2.00", "0.50"), store="77", zone="Europe/Helsinki"),
    ]
    for mirrored in (given, given[::-1]):
        assert hourly_of(built(mirrored)).select("local_hour", "gross_sales").rows() == [(10, Decimal("3.75"))]


@pytest.mark.parametrize(
    ("amount", "quantity", "total"),
    [("9000000000000000.00", 1, "27000000000000000.00"), ("1.00", 900_000_000, "2700000000")],
)
def test_a_sum_that_does_not_fit_raises(amount: str, quantity: int, total: str) -> None:
    big = [
        order(number, "2026-10-23T10:00:00+02:00", line(amount, "0.00", rate=0, quantity=quantity), **G1)
        for number in (1, 2, 3)
    ]
    with pytest.raises(pl.exceptions.InvalidOperationError, match=rf"\[{total}\]"):
        hourly_of(built(big))


def test_visitors_of_a_day_are_null_only_where_no_hour_has_any() -> None:
    tables = built([order(n, f"2026-10-23T1{n}:00:00+02:00", line("1.00", "0.25"), **G1) for n in (0, 1)])
    hourly = hourly_of(tables)
    assert transforms.daily_sales(hourly)["visitors"].to_list() == [None]
    counted = hourly.with_columns(visitors=pl.Series([None, 7], dtype=pl.Int32))
    assert transforms.daily_sales(counted)["visitors"].to_list() == [7]


def weekly(tables: Core, *days: date, **given: Any) -> pl.DataFrame:
    return transforms.weekly_balance_hourly(
        account="a", hourly=hourly_of(tables), stores=tables.stores, dates=days, **given
    )


def test_the_doubled_hour_is_merged_and_the_missing_one_is_zero() -> None:
    tables = built(scenario.PARTS["the doubled autumn hour"] + scenario.PARTS["around the missing spring hour"])
    autumn = weekly(tables, date(2026, 10, 25)).filter(pl.col("store_id") == "0101")
    assert autumn["hour"].to_list() == list(range(24))
    assert autumn.filter(pl.col("hour") == 2).select("gross_sales", "returns", "transactions", "goods_sold").rows() == [
        (Decimal("28.75"), Decimal("5.00"), 2, 4)
    ]
    spring = weekly(tables, date(2026, 3, 29)).filter(pl.col("store_id") == "0101")
    assert spring["gross_sales"].to_list()[:4] == [Decimal(0), Decimal("17.50"), Decimal(0), Decimal("18.75")]


def test_an_idle_store_is_shown_in_its_home_currency() -> None:
    idle = weekly(built([]), date(2026, 10, 23), date(2026, 10, 24))
    assert idle.select("store_id", "currency").unique().sort("store_id").rows() == [
        ("0101", "SEK"),
        ("0102", "EUR"),
        ("0103", "GBP"),
        ("0104", "SEK"),
        ("0106", "unknown"),
        ("NYC-1", "USD"),
    ]
    assert idle.height == 6 * 2 * 24
    assert idle.select(pl.col("gross_sales").sum(), pl.col("visitors").sum()).row(0) == (Decimal(0), 0)


def test_the_home_currency_is_a_fact_of_the_store() -> None:
    """Of the lowest-numbered warehouse that states one, else of the first register that does."""
    warehouses = [one | {"currencycode": None} if one["warehouseid"] in (1, 3) else one for one in scenario.WAREHOUSES]
    warehouses.append(scenario.WAREHOUSES[0] | {"warehouseid": 33, "storeid": 3, "currencycode": "CHF"})
    registers = [
        *(one | {"currencycode": "" if one["registerid"] == GOTHENBURG else "NOK"} for one in scenario.REGISTERS),
        scenario.REGISTERS[0] | {"registerid": "{66}", "warehouseid": 6, "currencycode": "JPY"},
        scenario.REGISTERS[0] | {"registerid": "{65}", "warehouseid": 6, "currencycode": "USD"},
        scenario.REGISTERS[0] | {"registerid": "{44}", "warehouseid": 4, "currencycode": "DKK"},
    ]
    for order_of_lists in (1, -1):
        tables = built([], warehouses=warehouses[::order_of_lists], registers=registers[::order_of_lists])
        assert dict(tables.stores.select("sitoo_store_id", "currency").iter_rows()) == {
            1: "NOK",  # its warehouse states none, nor does its first register
            2: "EUR",
            3: "CHF",  # of its second warehouse, before the register of its first
            4: "SEK",  # warehouse 4, not 14
            5: "SEK",
            6: "USD",
            7: "USD",
            8: "SEK",  # has no warehouse, but the external id of store 4
            9: "SEK",
        }


def test_channels_and_currencies_of_the_weekly_balance() -> None:
    day = date(2026, 10, 23)
    tables = built(scenario.ORDERS)

    def sets(**given: Any) -> set[tuple[str, str]]:
        rows = weekly(tables, day, **given).select("store_id", "currency").unique().rows()
        return {(str(store), str(currency)) for store, currency in rows if store in {"0101", "0102", "unknown"}}

    assert sets() == {("0101", "SEK"), ("0101", "EUR"), ("0102", "EUR")}
    assert sets(channels=("pos", "online")) == {("0101", "SEK"), ("0101", "EUR"), ("0102", "EUR"), ("unknown", "EUR")}
    assert sets(channels=("online",)) == {("0101", "SEK"), ("0102", "EUR"), ("unknown", "EUR")}


def test_measures_are_the_contracts() -> None:
    assert [c.name for c in marts.WEEKLY_BALANCE_HOURLY.columns][5:] == [
        "gross_sales",
        "net_sales",
        "discounts",
        "returns",
        "transactions",
        "goods_sold",
        "goods_returned",
        "visitors",
    ]
