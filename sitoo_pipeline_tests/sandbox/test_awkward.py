"""What an awkward chain has beyond others, case by case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline_tests.sandbox.conftest import NOW, Json, all_z_reports, everything

CHAIN = Chain(stores=4, seed=7, opened=date(2026, 10, 12), orders_per_day=30, awkward=True)
FIELDS = (
    "orderid,orderdate,registerid,warehouseid,currencycode,orderstateid,paymentstateid,ordertypeid,additionaldata,"
    "orderitems,moneytotal_net,moneyfinal_net,moneyfinal_vat,moneyfinal_salestax,moneytotal_gross_roundoff,"
    "moneytotal_gross_all"
)


@dataclass(frozen=True)
class Odd:
    """Everything that the awkward chain answers."""

    orders: list[Json]
    z_reports: list[Json]
    registers: dict[str, Json]
    transactions: list[Json]

    @property
    def items(self) -> list[Json]:
        return [item for order in self.orders for item in order["orderitems"]]


@pytest.fixture(scope="module")
def odd() -> Iterator[Odd]:
    with (
        Sandbox(chain=CHAIN, now=NOW) as sandbox,
        httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url, timeout=60) as client,
    ):
        registers = client.get("/sites/1/cashregisters.json?num=100").json()["items"]
        yield Odd(
            everything(client, "/orders.json", "orderid", fields=FIELDS),
            all_z_reports(client),
            {register["registerid"]: register for register in registers},
            everything(client, "/sites/1/warehousetransactions.json", "warehousetransactionid"),
        )


def store_of(order: Json) -> str | None:
    found: str | None = (order["additionaldata"] or {}).get("store-externalid")
    return found


def test_rows_of_other_types_follow_a_product_on_both_sides(odd: Odd) -> None:
    assert {item["orderitemtype"] for item in odd.items} == {10, 20, 30, None}
    signs = Counter(
        (item["orderitemtype"], Decimal(item["moneyitemtotal_net"]) > 0, item["quantity"])
        for item in odd.items
        if item["orderitemtype"] in (20, 30)
    )
    assert set(signs) >= {(20, False, 1), (20, True, 1), (30, True, 1)}
    assert all(order["orderitems"][0]["orderitemtype"] in (10, None) for order in odd.orders)
    assert any(item["quantity"] == 0 for item in odd.items)


def test_sales_tax_is_in_the_header_and_no_row_total(odd: Odd) -> None:
    taxed = [order for order in odd.orders if Decimal(order["moneyfinal_salestax"])]
    assert {order["currencycode"] for order in taxed} == {"USD"}
    for order in odd.orders:
        rows = [tax for item in order["orderitems"] for tax in item["salestaxes"]]
        signs = [
            1 if Decimal(item["moneyitemtotal_net"]) > 0 else -1 for item in order["orderitems"] if item["salestaxes"]
        ]
        tax = sum((sign * Decimal(row["moneytax"]) for sign, row in zip(signs, rows, strict=True)), Decimal(0))
        assert tax == Decimal(order["moneyfinal_salestax"])
        parts = ("moneyfinal_net", "moneyfinal_vat", "moneyfinal_salestax", "moneytotal_gross_roundoff")
        assert Decimal(order["moneytotal_gross_all"]) == sum(Decimal(order[part] or 0) for part in parts)
    reports = [report for report in odd.z_reports if report["currencycode"] == "USD" and report["salestaxessales"]]
    assert reports
    for report in reports:
        [tax] = report["salestaxessales"]
        paid = sum(Decimal(payment["moneytotal"]) for payment in report["paymentssales"])
        assert paid == Decimal(report["moneysalestotal"]) + Decimal(tax["moneytax"])


def test_four_zones_and_four_kinds_of_vat(odd: Odd) -> None:
    assert CHAIN.timezones == {"NYC-1": "America/New_York", "0601": "Europe/Helsinki"}
    said = {(store_of(order), (order["additionaldata"] or {}).get("pos-timezone")) for order in odd.orders}
    assert said >= {*CHAIN.timezones.items(), ("0101", "Europe/Stockholm"), ("310", "Europe/Stockholm")}
    vat: defaultdict[str | None, set[float]] = defaultdict(set)
    for order in odd.orders:
        vat[store_of(order)] |= {item["vatvalue"] or 0 for item in order["orderitems"]}
    assert (vat["0101"], vat["0601"], vat["NYC-1"]) == ({25, 12, 6, 0}, {25.5, 14, 10, 0}, {0})


def test_a_till_takes_a_second_currency_and_reports_only_its_own(odd: Odd) -> None:
    currencies = defaultdict(set)
    for order in odd.orders:
        currencies[order["registerid"]].add(order["currencycode"])
    both = [register for register, found in currencies.items() if found == {"SEK", "EUR"}]
    assert both
    assert {report["currencycode"] for report in odd.z_reports if report["registerid"] in both} == {"SEK"}


def test_a_long_night_sells_in_both_of_the_doubled_hours(odd: Odd) -> None:
    hours = {
        datetime.fromtimestamp(order["orderdate"], UTC).hour
        for order in odd.orders
        if store_of(order) == "310" and datetime.fromtimestamp(order["orderdate"], UTC).date() == date(2026, 10, 25)
    }
    assert {0, 1} <= hours


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 14.5), (date(2026, 10, 24), 16.5)])
def test_a_long_night_is_as_long_as_the_clocks_make_it(day: date, hours: float) -> None:
    chain = Chain(stores=1, seed=1, opened=day, orders_per_day=400, awkward=True)
    till = chain.tills[0]
    [*_, last] = made = chain.orders.made_on(till, day)
    assert hours - 0.2 < (last.ordered_at - made[0].ordered_at) / 3600 < hours
    [*_, period] = chain.z_reports.closed_on(till, day)
    assert period.closed_at > last.ordered_at


def test_a_register_that_moved_is_listed_where_it_stands_now(odd: Odd) -> None:
    sold_in = defaultdict(set)
    for order in odd.orders:
        if order["registerid"] and store_of(order):
            sold_in[order["registerid"]].add((store_of(order), order["warehouseid"]))
    [(register, places)] = [item for item in sold_in.items() if len(item[1]) > 1]
    assert {store for store, _ in places} == {"0101", "310"}
    assert (("310", odd.registers[register]["warehouseid"])) in places


def test_a_stand_that_sitoo_does_not_list(odd: Odd) -> None:
    unlisted = [order for order in odd.orders if order["registerid"] and order["registerid"] not in odd.registers]
    assert unlisted
    assert {(store_of(order), order["warehouseid"]) for order in unlisted} == {(None, None)}
    reports = [report for report in odd.z_reports if report["registerid"] not in odd.registers]
    assert {report["store_id"] for report in reports} == {None}


def test_members_of_enumerations_that_nobody_has_written_down(odd: Odd) -> None:
    assert 120 in {order["ordertypeid"] for order in odd.orders}
    assert 7 in {order["orderstateid"] for order in odd.orders}
    assert 99 in {order["paymentstateid"] for order in odd.orders}
    assert 60 in {transaction["transactiontype"] for transaction in odd.transactions}


def test_what_an_old_till_leaves_out(odd: Odd) -> None:
    said = [order["additionaldata"] for order in odd.orders if order["registerid"] in odd.registers]
    assert None in said
    assert [data for data in said if data and "store-externalid" not in data]
    assert [data for data in said if data and data.get("store-externalid") == ""]
    assert None in {order["moneytotal_gross_roundoff"] for order in odd.orders}
    assert [item for item in odd.items if "decimalquantitytotal" not in item]
    for name in ("moneydiscount", "vatvalue", "additionaldata"):
        assert [item for item in odd.items if item[name] is None], name


def test_gift_cards_by_number_and_by_group_only(odd: Odd) -> None:
    cards = [item for item in odd.items if item["sku"].startswith("90") and item["additionaldata"]]
    assert {"giftcard-cardnumber" in item["additionaldata"] for item in cards} == {True, False}


def test_web_orders_are_open_and_paid_with_and_without_a_warehouse(odd: Odd) -> None:
    paid = [order for order in odd.orders if (order["orderstateid"], order["paymentstateid"]) == (0, 20)]
    assert {order["registerid"] for order in paid} == {None}
    web = [order for order in odd.orders if order["registerid"] is None]
    assert {order["warehouseid"] is None for order in web if order["paymentstateid"] == 20} == {True, False}


def test_z_reports_weeks_late_and_without_an_opening(odd: Odd) -> None:
    delays = {(report["dateadded"] - report["datecreated"]) // 86400 for report in odd.z_reports}
    assert {0, 16} <= delays
    assert None in {report["dateopened"] for report in odd.z_reports}


def test_discounts_that_end_in_half_a_hundredth_at_each_rate(odd: Odd) -> None:
    rates = Counter(
        item["vatvalue"]
        for order in odd.orders
        if order["currencycode"] == "SEK"
        for item in order["orderitems"]
        if item["vatvalue"] is not None and item["moneydiscount"] and "decimalquantitytotal" in item
        if (Decimal(item["moneydiscount"]) * Decimal(item["decimalquantitytotal"]) * (100 + item["vatvalue"]) / 100)
        % Decimal("0.01")
        == Decimal("0.005")
    )
    assert set(rates) == {25, 12, 6, 0}
