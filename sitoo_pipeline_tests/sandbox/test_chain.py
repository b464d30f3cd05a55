"""What the chain does: the same every time, and every awkward thing that it is there for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import httpx

from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline_tests.sandbox.conftest import CHAIN, NOW, Json, World, everything

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def bodies(chain: Chain) -> list[bytes]:
    paths = (
        "/orders.json?num=300",
        "/pos-z-reports",
        "/sites/1/warehousetransactions.json?num=300",
        "/sites/1/cashregisters",
    )
    with Sandbox(chain=chain, now=NOW) as sandbox:
        return [httpx.get(sandbox.sitoo_url + path, auth=sandbox.api_users[0]).content for path in paths]


def test_equal_chains_answer_the_same_bytes_and_another_seed_others() -> None:
    small = {"stores": 2, "opened": date(2026, 11, 1), "orders_per_day": 30}
    first, again, other = (bodies(Chain(seed=seed, **small)) for seed in (3, 3, 4))  # type: ignore[arg-type]
    assert first == again
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


def test_days_do_not_depend_on_which_was_asked_for_first() -> None:
    backwards = Chain(stores=2, seed=3, opened=date(2026, 11, 1), orders_per_day=30)
    for offset in range(9, -1, -1):
        backwards.orders.arrived_on(date(2026, 11, 1) + timedelta(days=offset))
    assert bodies(backwards) == bodies(Chain(stores=2, seed=3, opened=date(2026, 11, 1), orders_per_day=30))


def test_a_chain_of_a_year_answers_for_any_day() -> None:
    chain = Chain(stores=10, seed=1, opened=date(2025, 11, 10))
    with (
        Sandbox(chain=chain, now=NOW) as sandbox,
        httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url, timeout=60) as client,
    ):
        begins = int(datetime(2026, 4, 20, tzinfo=STOCKHOLM).timestamp())
        page = client.get(
            f"/orders.json?num=1000&orderdatefrom={begins}&orderdateto={begins + 86399}&sort=orderid"
        ).json()
        assert 500 < page["totalcount"] < 1500
        assert {order["orderdate"] - begins < 86400 for order in page["items"]} == {True}
        everything = client.get("/orders.json?num=1").json()
        first = client.get("/orders.json?num=1&sort=orderid").json()
        newest = everything["items"][0]["orderid"]
        assert everything["totalcount"] == newest - first["items"][0]["orderid"] + 1 > 300_000


def test_stores_are_as_busy_as_said(world: World) -> None:
    per_day = Counter((o["warehouseid"], o["orderdate"] // 86400) for o in world.counting if o["registerid"])
    average = sum(per_day.values()) / len(per_day)
    assert 0.8 * CHAIN.orders_per_day < average < 1.3 * CHAIN.orders_per_day
    hours = Counter(datetime.fromtimestamp(o["orderdate"], STOCKHOLM).hour for o in world.counting if o["registerid"])
    assert hours[17] > hours[14] < hours[12]
    weekdays = Counter(datetime.fromtimestamp(o["orderdate"], STOCKHOLM).weekday() for o in world.counting)
    assert weekdays[5] > weekdays[0]


HEADER = (
    "orderid,orderitems,payments,paymentstateid,moneytotal_net,moneytotal_vat,moneydelivery_net,moneydelivery_vat,"
    "moneycheckout_net,moneycheckout_vat,moneyfinal_net,moneyfinal_vat,moneytotal_gross_all,moneytotal_gross_roundoff"
)


def test_header_totals_and_payments_follow_from_the_lines(api: httpx.Client) -> None:
    orders = everything(api, "/orders.json", "orderid", fields=HEADER)
    for order in orders:
        net = sum(Decimal(item["moneyitemtotal_net"]) for item in order["orderitems"])
        vat = sum(Decimal(item["moneyitemtotal_vat"]) for item in order["orderitems"])
        assert (Decimal(order["moneytotal_net"]), Decimal(order["moneytotal_vat"])) == (net, vat)
        fee = Decimal(order["moneydelivery_net"]) + Decimal(order["moneycheckout_net"])
        assert Decimal(order["moneyfinal_net"]) == net + fee
        assert Decimal(order["moneyfinal_vat"]) == vat + fee / 4
        total = Decimal(order["moneyfinal_net"]) + Decimal(order["moneyfinal_vat"])
        assert Decimal(order["moneytotal_gross_all"]) == total + Decimal(order["moneytotal_gross_roundoff"])
        if order["paymentstateid"] == 20:
            paid = sum(Decimal(payment["moneyamount"]) for payment in order["payments"])
            assert paid == Decimal(order["moneytotal_gross_all"])
        else:
            assert order["payments"] == []
    assert {order["moneydelivery_net"] for order in orders} == {"0.00", "39.20"}
    assert {order["moneycheckout_net"] for order in orders} == {"0.00", "23.20"}


def test_an_order_has_about_two_and_a_half_rows(world: World) -> None:
    assert 2.3 < sum(len(order["orderitems"]) for order in world.orders) / len(world.orders) < 2.8


def test_a_line_is_its_label_price_with_vat_taken_out(world: World) -> None:
    for item in (item for order in world.orders for item in order["orderitems"]):
        net, vat = Decimal(item["moneyitemtotal_net"]), Decimal(item["moneyitemtotal_vat"])
        exact = (net + vat) * 100 / (100 + item["vatvalue"])
        assert net == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
        if item["orderitemtype"] != 10:
            continue
        original, off = Decimal(item["moneyoriginalprice"]), Decimal(item["moneydiscount"])
        assert Decimal(item["moneynetpriceperunit"]) == original - off
        assert Decimal(item["moneydiscountedprice"]) == (original - off if off else 0)
        # Only rounding to whole cents stands between the row and its unit price.
        units = Decimal(item["decimalquantitytotal"])
        assert abs(net - (original - off) * units) <= Decimal("0.005") + Decimal("0.01") * max(Decimal(1), abs(units))


def test_everything_awkward_happens(world: World) -> None:
    items = [(order, item) for order in world.orders for item in order["orderitems"]]
    payments = [payment for order in world.counting for payment in order["payments"]]
    signs = [{item["quantity"] > 0 for item in order["orderitems"]} for order in world.counting]
    assert {True, False} in signs
    assert {order["ordertypeid"] for order in world.orders} == {10, 100, 110}
    assert {order["orderstateid"] for order in world.orders} == {0, 10, 20, -1}
    assert {order["paymentstateid"] for order in world.orders} == {0, 10, 15, 20, 30}
    assert {item["vatvalue"] for _, item in items} == {0, 6, 12, 25}
    assert any("giftcard-cardnumber" in item["additionaldata"] for _, item in items)
    assert any("orderitem-moneyrowdiscount" in item["additionaldata"] for _, item in items)
    assert any(item["decimalunitquantity"] for _, item in items)
    assert any(item["vouchercode"] for _, item in items)
    assert {"Cash", "Card", "Swish", "Gift Card", "Klarna", "Exchange"} == {payment["name"] for payment in payments}
    assert any(Decimal(order["moneytotal_gross_roundoff"]) for order in world.counting)
    assert any(order["additionaldata"].get("store-externalid") == "" for order in world.counting)
    emails = Counter(bool(order["email"]) for order in world.counting)
    assert 0 < emails[True] < emails[False]
    assert all(order["email"].endswith("@example.com") for order in world.orders if order["email"])


def test_some_orders_reach_sitoo_days_after_the_sale(world: World) -> None:
    latest, delays = 0, []
    for order in world.orders:  # in the order of arrival: what is dated before its predecessors was late
        latest = max(latest, order["orderdate"])
        delays.append(latest - order["orderdate"])
    assert max(delays) < 4 * 86400
    assert any(delay > 12 * 3600 for delay in delays)
    assert sum(delay < 60 for delay in delays) > 0.8 * len(delays)


def test_links_lead_to_the_orders_that_they_name(api: httpx.Client, world: World) -> None:
    orders: dict[str, Json] = {str(order["orderid"]): order for order in world.orders}
    linked = everything(api, "/orders.json", "orderid", fields="orderid,creditorderid")
    credited = {order["orderid"]: order["creditorderid"] for order in linked}
    assert {number for number, bought in credited.items() if bought} == {
        order["orderid"] for order in world.orders if "pos-originalsales-orderid" in order["additionaldata"]
    }
    seen: Counter[str] = Counter()
    elsewhere = 0
    for order in world.orders:
        data = order["additionaldata"]
        for name in data.keys() & {
            "pos-originalsales-orderid",
            "pos-refundsales-orderid",
            "pos-refund-orderid",
            "pos-sourceorderid",
        }:
            seen[name] += 1
            other = orders[data[name]]
            elsewhere += other["registerid"] != order["registerid"]
            if name == "pos-originalsales-orderid":
                assert credited[order["orderid"]] == other["orderid"] < order["orderid"]
                bought, back = other["orderitems"][0], order["orderitems"][0]
                assert (back["sku"], back["quantity"]) == (bought["sku"], -bought["quantity"])
                assert Decimal(back["moneyitemtotal_net"]) == -Decimal(bought["moneyitemtotal_net"])
                continue
            assert other["registerid"] == order["registerid"]
            if name == "pos-refundsales-orderid":
                assert other["additionaldata"]["pos-refund-orderid"] == str(order["orderid"])
                assert other["additionaldata"]["pos-refund-receiptid"] == data["pos-receiptid"]
                virtual = [
                    Decimal(payment["moneyamount"])
                    for side in (order, other)
                    for payment in side["payments"]
                    if payment["additionaldata"].get("virtual-payment") == "true"
                ]
                assert len(virtual) == 2
                assert sum(virtual) == 0
            if name == "pos-sourceorderid":
                assert other["ordertypeid"] in (100, 110)
                assert [item["sku"] for item in other["orderitems"]] == [item["sku"] for item in order["orderitems"]]
    assert len(seen) == 4
    assert 0 < elsewhere < seen["pos-originalsales-orderid"] / 2


def test_the_web_shop_sells_in_both_of_the_doubled_hours() -> None:
    chain = Chain(stores=6, seed=2, opened=date(2026, 10, 24), orders_per_day=400)
    web = chain.tills[-1]
    assert web.register is None
    night = [datetime.fromtimestamp(sale.ordered_at, UTC) for sale in chain.orders.made_on(web, date(2026, 10, 24))]
    assert {0, 1} <= {moment.hour for moment in night if moment.date() == date(2026, 10, 25)}
    assert {moment.astimezone(STOCKHOLM).hour for moment in night if moment.hour in (0, 1)} == {2}
