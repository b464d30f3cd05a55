"""Sales and the stock that moved for them, or did not: for each cause of a difference an article of its own."""

from __future__ import annotations

from sitoo_pipeline_tests.scenario.objects import Json, line, movement, order, transaction
from sitoo_pipeline_tests.scenario.orders import G1, LON

TILL: Json = {key: value for key, value in G1.items() if key != "warehouse"}
"""The till in Gothenburg; which warehouse it sells from is for each order to say."""

ROW = ("10.00", "2.50")
BACK = ("-10.00", "-2.50")

STOCK_ORDER_PARTS: dict[str, list[Json]] = {
    "they agree: weighed goods, and one article in two orders": [
        order(3001, "2026-10-25T10:00:00+01:00", line(*ROW, quantity=2, weight="0.355", sku="WEIGHED"), **G1),
        order(3002, "2026-10-25T10:01:00+01:00", line(*ROW, quantity=2, sku="TWICE"), **G1),
        order(3003, "2026-10-25T10:02:00+01:00", line(*ROW, sku="TWICE"), line(*BACK, quantity=-1, sku="BACK"), **G1),
    ],
    "not stocked: a service, a gift card, an order that leaves the stock alone": [
        order(3010, "2026-10-25T10:10:00+01:00", line(*ROW, group="Skrädderi", sku="SERVICE"), **G1),
        order(3011, "2026-10-25T10:11:00+01:00", line(*ROW, rate=0, group="Presentkort", sku="GIFT-CARD"), **G1),
        order(
            3012, "2026-10-25T10:12:00+01:00", line(*ROW, sku="IGNORED"), extra={"delivery-ignore-stock": "true"}, **G1
        ),
    ],
    "a service whose stock is counted after all": [
        order(3013, "2026-10-25T10:13:00+01:00", line(*ROW, group="Skrädderi", sku="COUNTED-SERVICE"), **G1)
    ],
    "not delivered: open, and open while half of it was sent": [
        order(3020, "2026-10-25T10:20:00+01:00", line(*ROW, sku="OPEN"), warehouse=1, orderstateid=0),
        order(3021, "2026-10-25T10:21:00+01:00", line(*ROW, quantity=2, sku="HALF-OPEN"), warehouse=1, orderstateid=0),
    ],
    "delivered elsewhere, as the order says: from London, and brought back to Helsinki": [
        order(3030, "2026-10-24T10:30:00+02:00", line(*ROW, sku="FROM-LONDON"), **(TILL | {"warehouse": 3})),
        order(
            3031,
            "2026-10-24T10:31:00+02:00",
            line(*BACK, quantity=-1, sku="TO-HELSINKI", extra={"return-warehouseid": "2"}),
            **G1,
        ),
    ],
    "ordered at a till, sent two days later from a warehouse without a store": [
        order(3032, "2026-10-24T10:32:00+02:00", line(*ROW, sku="ENDLESS-AISLE"), **(TILL | {"warehouse": 8}))
    ],
    "delivered elsewhere, as the opposite difference says: one of two that lack it": [
        order(3040, "2026-10-24T10:40:00+02:00", line(*ROW, sku="OPPOSITE"), **G1),
        order(3041, "2026-10-24T10:41:00+01:00", line(*ROW, sku="OPPOSITE"), **LON),
    ],
    "delivered another day: a web order, and a till": [
        order(3050, "2026-10-24T10:50:00+02:00", line(*ROW, sku="SENT-LATER"), warehouse=1),
        order(3051, "2026-10-24T10:51:00+02:00", line(*ROW, sku="BOOKED-LATER"), **G1),
    ],
    "a web order each day, each sent on the next: no day differs in sum": [
        order(3053, "2026-10-24T10:53:00+02:00", line(*ROW, sku="STEADY"), warehouse=1),
        order(3054, "2026-10-25T10:54:00+01:00", line(*ROW, sku="STEADY"), warehouse=1),
    ],
    "a web order of the last loaded date": [
        order(3055, "2026-10-26T10:55:00+01:00", line(*ROW, sku="LAST-DAY"), warehouse=1)
    ],
    "several transactions: an order delivered twice": [
        order(3060, "2026-10-25T11:00:00+01:00", line(*ROW, sku="DELIVERED-TWICE"), **G1)
    ],
    "unknown: never left, and left without a sale": [
        order(3070, "2026-10-25T11:10:00+01:00", line(*ROW, sku="NEVER-LEFT"), **G1),
        order(3071, "2026-10-24T11:11:00+01:00", line(*ROW, quantity=3, sku="PARTLY"), **LON),
        order(3072, "2026-10-24T11:12:00+01:00", line(*ROW, sku="PARTLY"), warehouse=3, orderstateid=0),
    ],
}

STOCK_TRANSACTION_PARTS: dict[str, list[Json]] = {
    "they agree: bought at two prices, so in two items; the same article in two transactions": [
        transaction(
            101, 1, "2026-10-25T10:00:00+01:00", 30, movement("WEIGHED", "-0.500"), movement("WEIGHED", "-0.210")
        ),
        transaction(102, 1, "2026-10-25T10:01:00+01:00", 30, movement("TWICE", "-2.000")),
        transaction(103, 1, "2026-10-25T10:02:00+01:00", 30, movement("TWICE", "-1.000")),
        transaction(104, 1, "2026-10-25T10:02:00+01:00", 40, movement("BACK", "1.000")),
        transaction(105, 1, "2026-10-25T07:00:00+01:00", 10, movement("TWICE", "40.000")),
        transaction(106, 1, "2026-10-25T10:13:00+01:00", 30, movement("COUNTED-SERVICE", "-1.000")),
    ],
    "half of an open order": [transaction(110, 1, "2026-10-25T15:00:00+01:00", 30, movement("HALF-OPEN", "-1.000"))],
    "elsewhere": [
        transaction(120, 3, "2026-10-24T15:00:00+01:00", 30, movement("FROM-LONDON", "-1.000")),
        transaction(121, 2, "2026-10-24T15:00:00+03:00", 40, movement("TO-HELSINKI", "1.000")),
        transaction(122, 8, "2026-10-26T15:00:00+01:00", 30, movement("ENDLESS-AISLE", "-1.000")),
        transaction(123, 2, "2026-10-24T15:01:00+03:00", 30, movement("OPPOSITE", "-1.000")),
    ],
    "another day": [
        transaction(130, 1, "2026-10-26T15:00:00+01:00", 30, movement("SENT-LATER", "-1.000")),
        transaction(131, 1, "2026-10-25T09:00:00+01:00", 30, movement("BOOKED-LATER", "-1.000")),
        transaction(132, 1, "2026-10-25T15:00:00+01:00", 30, movement("STEADY", "-1.000")),
        transaction(133, 1, "2026-10-26T15:01:00+01:00", 30, movement("STEADY", "-1.000")),
        transaction(134, 1, "2026-10-23T08:00:00+02:00", 30, movement("FIRST-DAY", "-1.000")),
    ],
    "delivered twice": [
        transaction(140, 1, "2026-10-25T11:00:00+01:00", 30, movement("DELIVERED-TWICE", "-1.000")),
        transaction(141, 1, "2026-10-25T11:00:05+01:00", 30, movement("DELIVERED-TWICE", "-1.000")),
    ],
    "without a sale, and too little of it": [
        transaction(150, 3, "2026-10-26T15:00:00+00:00", 30, movement("NO-SALE", "-1.000")),
        transaction(151, 3, "2026-10-24T15:00:00+01:00", 30, movement("PARTLY", "-1.000")),
    ],
}
