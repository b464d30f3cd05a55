"""The z-reports against the orders, by a calculation of its own."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

import httpx

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline_tests.sandbox.conftest import CHAIN, NOW, Json, World


def amount(value: str) -> Decimal:
    return Decimal(value)


def total(rows: list[Json], name: str = "moneytotal") -> Decimal:
    return sum((amount(row[name]) for row in rows), Decimal(0))


def gross(item: Json) -> Decimal:
    return amount(item["moneyitemtotal_net"]) + amount(item["moneyitemtotal_vat"])


def sides(order: Json) -> tuple[list[Json], list[Json]]:
    """Rows sold and rows brought back; a row that is no product goes with the product before it."""
    found: dict[bool, list[Json]] = {True: [], False: []}
    is_sold = True
    for item in order["orderitems"]:
        is_sold = item["quantity"] > 0 if item["orderitemtype"] == 10 else is_sold
        found[is_sold].append(item)
    return found[True], found[False]


def pieces(items: list[Json]) -> int:
    return sum(item["quantity"] for item in items if item["orderitemtype"] == 10)


def discount(item: Json) -> Decimal:
    if item["orderitemtype"] != 10:
        return max(-gross(item), Decimal(0))
    if row := item["additionaldata"].get("orderitem-moneyrowdiscount"):
        return abs(amount(row))
    exact: Decimal = (
        amount(item["moneydiscount"]) * amount(item["decimalquantitytotal"]) * (100 + item["vatvalue"]) / 100
    )
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def covered(report: Json, orders: list[Json]) -> list[Json]:
    return [order for order in orders if report["dateopened"] < order["orderdate"] <= report["datecreated"]]


def by_register(orders: list[Json]) -> dict[str, list[Json]]:
    groups = defaultdict(list)
    for order in orders:
        if order["registerid"]:
            groups[order["registerid"]].append(order)
    return groups


def test_every_z_report_equals_its_orders(world: World) -> None:
    tills = by_register(world.counting)
    assert len(world.z_reports) > 200
    for report in world.z_reports:
        orders = covered(report, tills[report["registerid"]])
        sold = [item for order in orders for item in sides(order)[0]]
        back = [item for order in orders for item in sides(order)[1]]
        expected = {
            "moneysalestotal": sum(map(gross, sold), Decimal(0)),
            "moneysalestotalnet": total(sold, "moneyitemtotal_net"),
            "numsalesitems": pieces(sold),
            "moneyrefundtotal": -sum(map(gross, back), Decimal(0)),
            "moneyrefundtotalnet": -total(back, "moneyitemtotal_net"),
            "numrefunditems": -pieces(back),
            "moneydiscount": sum(map(discount, sold), Decimal(0)),
            "moneyroundoff": total(orders, "moneytotal_gross_roundoff"),
            "numsales": sum(bool(sides(order)[0]) for order in orders),
            "numrefund": sum(bool(sides(order)[1]) for order in orders),
            "numreceipts": len(orders),
        }
        assert {name: Decimal(str(report[name])) for name in expected} == expected


def test_every_order_of_a_closed_till_is_covered_once(world: World) -> None:
    for register, orders in by_register(world.counting).items():
        reports = [report for report in world.z_reports if report["registerid"] == register]
        last = max(report["datecreated"] for report in reports)
        times = [
            sum(bool(covered(report, [order])) for report in reports) for order in orders if order["orderdate"] <= last
        ]
        assert set(times) == {1}


def test_the_sums_within_a_report_agree(world: World) -> None:
    for report in world.z_reports:
        for side, money in (("sales", "moneysalestotal"), ("refund", "moneyrefundtotal")):
            for groups in ("vatgroups", "productgroups"):
                rows = report[f"{groups}{side}"]
                assert total(rows) == amount(report[money])
                assert total(rows, "moneytotalnet") == amount(report[f"{money}net"])
                assert total(rows, "moneytotalnet") + total(rows, "moneytotalvat") == total(rows)
            assert total(report[f"payments{side}"]) == amount(report[money])
        assert sum(row["numtotal"] for row in report["productgroupssales"]) == report["numsalesitems"]
        assert total(report["discountssales"]) == amount(report["moneydiscount"])
        kinds = ("numsalestypeproduct", "numsalestypeservice", "numsalestypegiftcard")
        assert sum(report[kind] for kind in kinds) == report["numsalesitems"]
        subtotal = amount(report["moneysummarysales"]) - amount(report["moneysummaryrefund"])
        assert subtotal == amount(report["moneysummarysubtotal"])
        assert subtotal + amount(report["moneysummaryroundoff"]) == amount(report["moneysummarytotal"])
        parts = ("moneycash_in", "moneycash_salesrefunds", "moneycash_petty", "moneycash_bank")
        expected = sum(amount(report[part]) for part in parts)
        assert expected == amount(report["moneycash_expected"])
        assert amount(report["moneycash_counted"]) - expected == amount(report["moneycash_diff"])
        out = amount(report["moneycash_counted"]) + amount(report["moneycash_bankfinal"])
        assert out == amount(report["moneycash_out"])


def test_cash_in_the_drawer_is_what_the_orders_say(world: World) -> None:
    tills = by_register(world.counting)
    for report in world.z_reports:
        payments = [p for order in covered(report, tills[report["registerid"]]) for p in order["payments"]]
        cash = total([payment for payment in payments if payment["name"] == "Cash"], "moneyamount")
        assert cash == amount(report["moneycash_salesrefunds"])


def test_numbers_and_lifetime_totals_run_on_from_report_to_report(world: World) -> None:
    for register in {report["registerid"] for report in world.z_reports}:
        reports = sorted(
            (report for report in world.z_reports if report["registerid"] == register),
            key=lambda r: int(r["zreportid"]),
        )
        assert [report["zreportid"] for report in reports] == list(range(1, len(reports) + 1))
        sales = refunds = Decimal(0)
        for report in reports:
            sales += amount(report["moneysalestotal"])
            refunds += amount(report["moneyrefundtotal"])
            lifetime = ("moneygrandtotalsales", "moneygrandtotalrefund", "moneygrandtotalnet")
            assert [amount(report[name]) for name in lifetime] == [sales, refunds, sales - refunds]


def test_some_reports_are_late_empty_or_span_midnight_and_some_days_have_two(world: World) -> None:
    assert any(report["dateadded"] > report["datecreated"] + 3600 for report in world.z_reports)
    assert any(report["numreceipts"] == 0 for report in world.z_reports)
    local = [
        (report["dateopened"] + 3600, report["datecreated"] + 3600, report["registerid"]) for report in world.z_reports
    ]
    assert any(begins // 86400 != ends // 86400 for begins, ends, _ in local)
    days = [(register, begins // 86400) for begins, _, register in local]
    assert len(set(days)) < len(days)


def test_a_bare_array_ascending_by_arrival_with_both_bounds_included(api: httpx.Client, world: World) -> None:
    added = [report["dateadded"] for report in world.z_reports]
    assert added == sorted(added)
    low, high = added[20], added[60]
    page = api.get(f"/pos-z-reports?dateaddedfrom={low}&dateaddedto={high}").json()
    assert page == [report for report in world.z_reports if low <= report["dateadded"] <= high]


def test_never_more_than_500_reports() -> None:
    chain = type(CHAIN)(stores=6, seed=7, opened=CHAIN.opened.replace(month=8), orders_per_day=3)
    with Sandbox(chain=chain, now=NOW) as sandbox:
        first = httpx.get(f"{sandbox.sitoo_url}/pos-z-reports", auth=sandbox.api_users[0]).json()
        assert len(first) == 500
        since = first[-1]["dateadded"]
        rest = httpx.get(f"{sandbox.sitoo_url}/pos-z-reports?dateaddedfrom={since}", auth=sandbox.api_users[0]).json()
        assert first[-1] in rest


def test_filters_by_store_and_register(api: httpx.Client, world: World) -> None:
    stores = ["0101", "310"]
    page = api.get("/pos-z-reports", params={"store_id": ",".join(stores)}).json()
    assert page == [report for report in world.z_reports if report["store_id"] in stores]
    register = world.z_reports[0]["registerid"]
    page = api.get("/pos-z-reports.json", params={"registerid": register}).json()
    assert page == [report for report in world.z_reports if report["registerid"] == register]
    assert api.get("/pos-z-reports?eshopid=2").json() == []


def test_reports_per_register_where_the_account_has_no_others(world: World) -> None:
    register = world.z_reports[0]["registerid"]
    wanted = sorted(
        (report for report in world.z_reports if report["registerid"] == register), key=lambda r: -r["zreportid"]
    )
    wanted = [{name: value for name, value in report.items() if name != "dateadded"} for report in wanted]
    with (
        Sandbox(chain=CHAIN, now=NOW, faults=Faults(account_z_reports_missing=True)) as sandbox,
        httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url) as client,
    ):
        assert client.get("/pos-z-reports").status_code == 404
        path = f"/sites/1/cashregisters/{register}/zreports"
        assert client.get(f"{path}.json").json() == {"totalcount": len(wanted), "items": wanted[:10]}
        assert client.get(f"{path}.json?start=5&num=2").json()["items"] == wanted[5:7]
        low, high = wanted[8]["datecreated"], wanted[3]["datecreated"]
        assert client.get(f"{path}.json?datecreatedfrom={low}&datecreatedto={high}").json()["items"] == wanted[3:9]
        assert client.get(f"{path}/3.json").json() == next(report for report in wanted if report["zreportid"] == 3)
