from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline_tests.sandbox.conftest import CHAIN, NOW, Json, World, everything


def ids(client: httpx.Client, query: str) -> list[int]:
    return [order["orderid"] for order in client.get(f"/orders.json?num=1000&{query}").json()["items"]]


def test_ten_newest_orders_by_default(api: httpx.Client, world: World) -> None:
    page = api.get("/orders.json").json()
    newest = sorted((order["orderid"] for order in world.orders), reverse=True)
    assert page["totalcount"] == len(world.orders)
    assert [order["orderid"] for order in page["items"]] == newest[:10]


def test_start_num_and_the_cap_of_a_thousand(api: httpx.Client, world: World) -> None:
    everyone = [order["orderid"] for order in world.orders]
    assert ids(api, "sort=orderid&start=15&num=7") == everyone[15:22]
    assert len(ids(api, "num=5000")) == 1000
    assert ids(api, f"start={len(everyone)}") == []
    assert api.get("/orders.json?num=0").json() == {"totalcount": len(everyone), "items": []}


def test_ids_rise_without_gaps_in_the_order_of_arrival(world: World) -> None:
    numbers = [order["orderid"] for order in world.orders]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_id_bounds_are_from_inclusive_to_exclusive(api: httpx.Client, world: World) -> None:
    low, high = world.orders[100]["orderid"], world.orders[140]["orderid"]
    page = api.get(f"/orders.json?num=1000&sort=orderid&orderidfrom={low}&orderidto={high}").json()
    assert [order["orderid"] for order in page["items"]] == list(range(low, high))
    assert page["totalcount"] == high - low


def test_date_bounds_include_both_ends_and_find_late_orders(api: httpx.Client, world: World) -> None:
    dates = sorted(order["orderdate"] for order in world.orders)
    for low, high in ((dates[50], dates[300]), (dates[-300], dates[-1]), (dates[0], dates[2500])):
        wanted = {order["orderid"] for order in world.orders if low <= order["orderdate"] <= high}
        found: list[int] = []
        while len(found) < len(wanted):
            page = api.get(f"/orders.json?num=1000&start={len(found)}&orderdatefrom={low}&orderdateto={high}").json()
            assert page["totalcount"] == len(wanted)
            found += [order["orderid"] for order in page["items"]]
        assert set(found) == wanted


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("ordertype=100,110", lambda order: order["ordertypeid"] in (100, 110)),
        ("orderstate=0,20", lambda order: order["orderstateid"] in (0, 20)),
        ("paymentstate=15", lambda order: order["paymentstateid"] == 15),
        ("warehouseid=1", lambda order: order["warehouseid"] == 1),
        ("eshopid=2", lambda order: False),
        ("ordertype=10&ordertype=100", lambda order: order["ordertypeid"] == 100),  # the last one wins
        ("orderstate[]=0", lambda order: order["orderstateid"] == 0),
        ("datelastmodified-from=1", lambda order: True),  # unknown: ignored
    ],
)
def test_filters(api: httpx.Client, world: World, query: str, matches: object) -> None:
    assert callable(matches)
    wanted = [order["orderid"] for order in world.orders if matches(order)]
    page = api.get(f"/orders.json?num=1000&sort=orderid&{query}").json()
    assert page["totalcount"] == len(wanted)
    assert [order["orderid"] for order in page["items"]] == wanted[:1000]


def test_orders_by_id_receipt_credited_order_external_id_and_e_mail(api: httpx.Client, world: World) -> None:
    some = [world.orders[index]["orderid"] for index in (3, 400, 1200)]
    assert ids(api, f"orderid={','.join(map(str, some))},999999999&sort=orderid") == some
    till = next(order for order in world.orders[900:] if order["registerid"])
    assert ids(api, f"receiptid={till['additionaldata']['pos-receiptid']}&orderid=1") == [till["orderid"]]
    refund = next(order for order in world.orders if "pos-originalsales-orderid" in order["additionaldata"])
    bought = int(refund["additionaldata"]["pos-originalsales-orderid"])
    assert refund["orderid"] in ids(api, f"creditorderid={bought}")
    web = next(order for order in world.orders if order["registerid"] is None)
    assert ids(api, f"externalid=WEB-{web['orderid']}") == [web["orderid"]]
    mailed = {order["orderid"] for order in world.orders if order["email"] == web["email"]}
    assert set(ids(api, f"email={web['email']}")) == mailed


def test_a_single_order_has_what_the_list_has_and_more(api: httpx.Client, world: World) -> None:
    listed = world.orders[777]
    single = api.get(f"/sites/1/orders/{listed['orderid']}.json").json()
    assert {name: single[name] for name in listed} == listed
    assert single["orderlogitems"]
    assert api.get("/sites/1/orders/999999999.json").status_code == 404


@pytest.mark.parametrize("query", ["orderdatefrom=99999999999999", "orderdateto=-5", "orderidfrom=99999999999999"])
def test_bounds_far_outside_find_nothing(api: httpx.Client, query: str) -> None:
    assert api.get(f"/orders.json?{query}").json() == {"totalcount": 0, "items": []}


def test_fields_chooses(api: httpx.Client) -> None:
    page = api.get("/orders.json?num=3&fields=orderid,creditorderid,orderlogitems,nonsense").json()
    assert {frozenset(order) for order in page["items"]} == {frozenset({"orderid", "creditorderid", "orderlogitems"})}


def test_nothing_is_seen_before_it_arrives(world: World) -> None:
    earlier = NOW - timedelta(days=3)
    with (
        Sandbox(chain=CHAIN, now=lambda: earlier) as sandbox,
        httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url) as client,
    ):
        before = everything(client, "/orders.json", "orderid")
    assert 0 < len(before) < len(world.orders)
    assert [order["orderid"] for order in before] == [order["orderid"] for order in world.orders[: len(before)]]
    assert all(order["orderdate"] <= earlier.timestamp() for order in before)
    late = [order for order in world.orders[len(before) :] if order["orderdate"] <= earlier.timestamp()]
    assert all(order["registerid"] or order["orderdate"] > earlier.timestamp() - 5 for order in late)


def test_a_web_order_is_open_until_it_is_shipped_and_then_paid(world: World) -> None:
    states: dict[int, list[tuple[int, int]]] = {}
    for days in (4, 0):
        moment = NOW - timedelta(days=days)
        with (
            Sandbox(chain=CHAIN, now=moment) as sandbox,
            httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url) as client,
        ):
            for order in everything(client, "/orders.json", "orderid"):
                if order["registerid"] is None:
                    states.setdefault(order["orderid"], []).append((order["orderstateid"], order["paymentstateid"]))
    assert [(0, 15), (10, 20)] in states.values()
    assert not [seen for seen in states.values() if seen[0] == (10, 20) and seen[-1] != (10, 20)]


def test_deliveries_follow_from_orders(api: httpx.Client, world: World) -> None:
    order: Json = next(order for order in world.counting if order["registerid"])
    page = api.get(f"/sites/1/orders/{order['orderid']}/orderdeliveries.json").json()
    (delivery,) = page["items"]
    assert (delivery["orderid"], delivery["warehouseid"]) == (order["orderid"], order["warehouseid"])
    delivered = {item["orderitemid"]: item["quantity"] for item in delivery["orderdeliveryitems"]}
    assert delivered == {item["orderitemid"]: item["quantity"] for item in order["orderitems"]}
    booking = next(order for order in world.orders if order["ordertypeid"] == 100)
    assert api.get(f"/sites/1/orders/{booking['orderid']}/orderdeliveries").json() == {"totalcount": 0, "items": []}
