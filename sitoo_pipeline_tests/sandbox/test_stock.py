from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import httpx
import pytest

from sitoo_pipeline_tests.sandbox.conftest import World


def test_stock_runs_on_from_transaction_to_transaction(world: World) -> None:
    stock: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for transaction in world.transactions:
        assert transaction["items"]
        for item in transaction["items"]:
            place = transaction["warehouseid"], item["sku"]
            stock[place] += Decimal(item["decimalquantity"])
            assert Decimal(item["decimaltotal"]) == stock[place]


def test_sales_and_refunds_are_what_was_delivered(world: World) -> None:
    ordered: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    services = {"60010-1", "60021-1", "90200-1", "90500-1"}
    for order in (order for order in world.counting if order["orderstateid"] == 10):
        for item in order["orderitems"]:
            if item["orderitemtype"] == 10 and item["sku"] not in services:
                back_to = item["additionaldata"].get("return-warehouseid")
                warehouse = int(back_to) if back_to else order["warehouseid"]
                ordered[warehouse, item["sku"]] -= Decimal(item["decimalquantitytotal"])
    assert [key for key in ordered if key[0] is None]
    ordered = {key: quantity for key, quantity in ordered.items() if key[0] is not None}  # sent by a supplier
    moved: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for transaction in world.transactions:
        is_delivery = transaction["transactiontype"] in (30, 40)
        assert (transaction["orderdeliveryid"] is not None) == is_delivery
        for item in transaction["items"] if is_delivery else ():
            quantity = Decimal(item["decimalquantity"])
            assert (quantity < 0) == (transaction["transactiontype"] == 30)
            moved[transaction["warehouseid"], item["sku"]] += quantity
    assert moved == ordered


def test_all_kinds_occur_with_the_sign_that_they_have(world: World) -> None:
    signs: dict[int, set[bool]] = defaultdict(set)
    for transaction in world.transactions:
        signs[transaction["transactiontype"]] |= {Decimal(item["decimalquantity"]) > 0 for item in transaction["items"]}
    assert signs == {10: {True}, 20: {False}, 30: {False}, 40: {True}, 50: {True, False}}


def test_ids_rise_without_gaps_but_dates_do_not(world: World) -> None:
    numbers = [transaction["warehousetransactionid"] for transaction in world.transactions]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    dates = [transaction["datecreated"] for transaction in world.transactions]
    assert dates != sorted(dates)


@pytest.mark.parametrize(
    "path", ["/sites/1/warehousetransactions.json", "/sites/1/warehouses/3/warehousetransactions.json"]
)
def test_bounds_filters_and_default_order(api: httpx.Client, world: World, path: str) -> None:
    mine = [t for t in world.transactions if "warehouses/3" not in path or t["warehouseid"] == 3]
    assert api.get(path).json() == {"totalcount": len(mine), "items": mine[::-1][:10]}
    dates = sorted(transaction["datecreated"] for transaction in mine)
    low, high = dates[40], dates[200]
    wanted = [t for t in mine if low <= t["datecreated"] < high]
    query = f"num=1000&sort=warehousetransactionid&datecreatedfrom={low}&datecreatedto={high}"
    assert api.get(f"{path}?{query}").json() == {"totalcount": len(wanted), "items": wanted}
    first, last = mine[30]["warehousetransactionid"], mine[60]["warehousetransactionid"]
    query = f"num=1000&sort=warehousetransactionid&warehousetransactionidfrom={first}&warehousetransactionidto={last}"
    assert api.get(f"{path}?{query}").json()["items"] == mine[30:60]
    refunds = [t["warehousetransactionid"] for t in mine if t["transactiontype"] == 40]
    page = api.get(
        f"{path}?transactiontype=40&num=1000&fields=warehousetransactionid&sort=warehousetransactionid"
    ).json()
    assert page["items"] == [{"warehousetransactionid": number} for number in refunds]


def test_one_transaction_of_its_warehouse(api: httpx.Client, world: World) -> None:
    wanted = world.transactions[99]
    path = f"warehousetransactions/{wanted['warehousetransactionid']}.json"
    assert api.get(f"/sites/1/warehouses/{wanted['warehouseid']}/{path}").json() == wanted
    assert api.get(f"/sites/1/warehouses/{wanted['warehouseid'] + 1}/{path}").status_code == 404
