"""Orders as Ometria takes them, and the returns folded into them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline.sinks import Ledger, deliver
from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.ometria import Ometria
from sitoo_pipeline.sinks.ometria_orders import order_records, record_key
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, lines, orders, returned
from sitoo_pipeline_tests.sinks.ometria_server import KEY, OmetriaServer


def payloads(order_rows: pl.DataFrame, line_rows: pl.DataFrame, **how: Any) -> dict[str, Any]:
    prepared = order_records(orders=order_rows, lines=line_rows, **how)
    return {record.payload["id"]: record.payload for record in prepared.records}


SALE = orders({"order_id": 1})
SALE_LINE = lines({"order_id": 1})


def test_an_order_of_a_till_is_whole() -> None:
    (record,) = order_records(
        orders=orders(
            {
                "order_id": 1,
                "email": " Ann@Example.com ",
                "name_first": "Ann",
                "name_last": "Berg",
                "checkout_type_name": "Card",
                "crm_customer_id": "C-9",
            }
        ),
        lines=SALE_LINE,
    ).records
    assert (record.key, record.partition) == ("order:1", DAY)
    assert record.payload == {
        "@type": "order",
        "id": "1",
        "timestamp": "2024-05-02T10:30:00+02:00",
        "status": "complete",
        "is_valid": True,
        "currency": "SEK",
        "grand_total": Decimal("125.00"),
        "subtotal": Decimal("100.00"),
        "discount": Decimal("0.00"),
        "tax": Decimal("25.00"),
        "channel": "store",
        "store": "1122",
        "payment_method": "Card",
        "customer": {"id": "C-9", "email": "ann@example.com", "firstname": "Ann", "lastname": "Berg"},
        "lineitems": [
            {
                "product_id": "SHOE-1",
                "sku": "SHOE-1",
                "quantity": 1,
                "unit_price": Decimal("100.00"),
                "subtotal": Decimal("100.00"),
                "discount": Decimal("0.00"),
                "tax": Decimal("25.00"),
                "total": Decimal("125.00"),
            }
        ],
    }


def test_amounts_are_numbers_with_exactly_their_digits() -> None:
    body = wire_json(payloads(SALE, SALE_LINE)["1"])
    assert b'"grand_total":125.00,' in body


@pytest.mark.parametrize("email", [None, "", "none", "a b@c.de", "ann@home"])
def test_an_order_without_an_address_has_no_customer(email: str | None) -> None:
    order = orders({"order_id": 1, "email": email, "name_first": "Ann", "crm_customer_id": "C-9"})
    assert "customer" not in payloads(order, SALE_LINE)["1"]


def test_an_id_never_is_an_address() -> None:
    rows = orders(
        {"order_id": 1, "email": "ann@example.com"},
        {"order_id": 2, "email": "ANN@example.com"},
        {"order_id": 3, "email": "bo@example.com", "crm_customer_id": "bo@example.com"},
    )
    found = payloads(rows, pl.concat([lines({"order_id": number}) for number in (1, 2, 3)]))
    ids = [found[number]["customer"]["id"] for number in "123"]
    assert ids[0] == ids[1] != ids[2]
    assert not any("@" in customer or "ann" in customer for customer in ids)


def test_prefix_channel_and_product_id_are_settings() -> None:
    (payload,) = payloads(
        orders({"order_id": 1, "channel": "online"}),
        SALE_LINE,
        id_prefix="sitoo-",
        product_id="product_id",
        channels={"online": "web", "pos": "till"},
    ).values()
    assert (payload["id"], payload["channel"], payload["lineitems"][0]["product_id"]) == ("sitoo-1", "web", "77")
    assert record_key(1, id_prefix="sitoo-") == "order:sitoo-1"


def test_a_line_without_the_chosen_id_is_left_out_and_told() -> None:
    rows = lines({"order_id": 1}, {"order_id": 1, "line_no": 1, "product_line_no": 1, "sku": None})
    prepared = order_records(orders=SALE, lines=rows)
    assert len(prepared.records[0].payload["lineitems"]) == 1
    assert prepared.messages == ("order lines left out, they have no sku: orders 1 (1)",)


def test_discounts_are_negative_and_a_discount_row_belongs_to_its_product() -> None:
    rows = lines(
        {
            "order_id": 1,
            "quantity": 2,
            "money_item_total_net": Decimal("160.00"),
            "money_item_total_vat": Decimal("40.00"),
            "discount_gross": Decimal("50.00"),
        },
        {
            "order_id": 1,
            "line_no": 1,
            "order_item_type": 20,
            "quantity": 1,
            "money_item_total_net": Decimal("-8.00"),
            "money_item_total_vat": Decimal("-2.00"),
            "discount_gross": Decimal("10.00"),
        },
    )
    order = orders({"order_id": 1, "money_total_net": Decimal("152.00"), "money_final_vat": Decimal("38.00")})
    payload = payloads(order, rows)["1"]
    (item,) = payload["lineitems"]
    assert (item["subtotal"], item["discount"], item["tax"], item["total"]) == tuple(
        map(Decimal, ("200.00", "-48.00", "38.00", "190.00"))
    )
    assert (item["unit_price"], item["quantity"]) == (Decimal("100.00"), 2)
    assert (payload["subtotal"], payload["discount"]) == (Decimal("200.00"), Decimal("-48.00"))


def test_an_order_that_does_not_count_goes_only_if_it_was_handed_over_before() -> None:
    cancelled = orders({"order_id": 1, "counts": False})
    assert payloads(cancelled, SALE_LINE) == {}
    (payload,) = payloads(cancelled, SALE_LINE, handed_over={"order:1"}).values()
    assert (payload["status"], payload["is_valid"], len(payload["lineitems"])) == ("cancelled", False, 1)


def test_an_order_without_a_sale_line_is_no_order_for_ometria() -> None:
    assert payloads(SALE, lines({"order_id": 1, "quantity": 0, "side": None})) == {}


RETURN = {
    "order_id": 9,
    "business_date": NEXT_DAY,
    "money_total_gross_all": Decimal("-125.00"),
    "ordered_at": datetime(2024, 5, 3, 9, tzinfo=UTC),
}


@pytest.mark.parametrize("link", [{"credit_order_id": 1}, {"original_sales_order_id": "1"}])
def test_a_return_is_folded_into_its_purchase(link: dict[str, Any]) -> None:
    sold = lines(
        {"order_id": 1, "quantity": 2}, {"order_id": 1, "line_no": 1, "order_item_id": 1, "product_line_no": 1}
    )
    back = lines({"order_id": 9, **returned(original_sales_order_item_id="1")})
    prepared = order_records(orders=SALE, lines=sold, returns=orders({**RETURN, **link}), return_lines=back)
    (record,) = prepared.records
    first, second = record.payload["lineitems"]
    assert record.payload["total_refunded"] == Decimal("125.00")
    assert "quantity_refunded" not in first
    assert (second["quantity_refunded"], second["refunded"]) == (1, Decimal("125.00"))
    assert (record.partition, prepared.messages) == (DAY, ())


def test_a_return_that_names_no_line_takes_the_first_of_its_product() -> None:
    sold = lines(
        {"order_id": 1, "sku": "HAT", "product_id": 5},
        {"order_id": 1, "line_no": 1, "order_item_id": 1, "product_line_no": 1},
    )
    twice = lines({"order_id": 9, **returned()}, {"order_id": 10, **returned()})
    back = orders({**RETURN, "credit_order_id": 1}, {**RETURN, "order_id": 10, "credit_order_id": 1})
    hat, shoe = payloads(SALE, sold, returns=back, return_lines=twice)["1"]["lineitems"]
    assert "refunded" not in hat
    assert shoe["quantity_refunded"] == 1  # only one was sold: the second return counts in the total alone
    assert payloads(SALE, sold, returns=back, return_lines=twice)["1"]["total_refunded"] == Decimal("250.00")


def test_a_return_may_be_among_the_orders_and_among_the_returns() -> None:
    rows = orders({"order_id": 1}, {**RETURN, "credit_order_id": 1})
    line_rows = lines({"order_id": 1}, {"order_id": 9, **returned()})
    (payload,) = payloads(rows, line_rows, returns=rows, return_lines=line_rows).values()
    assert payload["total_refunded"] == Decimal("125.00")


@pytest.mark.parametrize("link", [{}, {"credit_order_id": 404}, {"original_sales_order_id": "SII-12"}])
def test_a_return_of_an_unknown_purchase_is_held_out_and_told(link: dict[str, Any]) -> None:
    prepared = order_records(
        orders=orders({"order_id": 1}, {**RETURN, **link}), lines=lines({"order_id": 1}, {"order_id": 9, **returned()})
    )
    assert [record.key for record in prepared.records] == ["order:1"]
    assert prepared.messages == ("returns held out, their purchase is not known here: 1 (9)",)


def test_a_return_that_does_not_count_is_not_folded() -> None:
    back = orders({**RETURN, "credit_order_id": 1, "counts": False})
    (payload,) = payloads(SALE, SALE_LINE, returns=back, return_lines=lines({"order_id": 9, **returned()})).values()
    assert "total_refunded" not in payload


def test_an_exchange_goes_with_what_was_bought_and_is_not_folded() -> None:
    rows = orders({"order_id": 1}, {"order_id": 2, "credit_order_id": 1, "money_total_gross_all": Decimal("0.00")})
    line_rows = lines(
        {"order_id": 1}, {"order_id": 2}, {"order_id": 2, "line_no": 1, "product_line_no": 1, **returned()}
    )
    found = payloads(rows, line_rows)
    assert "total_refunded" not in found["1"]
    assert (found["2"]["grand_total"], len(found["2"]["lineitems"])) == (Decimal("0.00"), 1)


def test_a_return_and_a_cancellation_change_just_their_orders_at_ometria(
    ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    def run(order_rows: pl.DataFrame, line_rows: pl.DataFrame) -> int:
        keys = [record_key(order_id) for order_id in order_rows["order_id"]]
        handed_over = ledger.of("acme", "ometria", keys).keys()
        records = order_records(orders=order_rows, lines=line_rows, handed_over=handed_over).records
        with Ometria(base_url=ometria_server.base_url, api_key=KEY, requests_per_second=float("inf")) as target:
            return deliver(target=target, records=records, ledger=ledger, account="acme", run_id="r").delivered

    line_rows = pl.concat([lines({"order_id": number}) for number in (1, 2, 3)])
    back = lines({"order_id": 9, **returned()})
    assert run(orders({"order_id": 1}, {"order_id": 2}, {"order_id": 3}), line_rows) == 3
    later = orders({"order_id": 1}, {"order_id": 2, "counts": False}, {"order_id": 3}, {**RETURN, "credit_order_id": 3})
    assert run(later, pl.concat([line_rows, back])) == 2
    assert run(later, pl.concat([line_rows, back])) == 0
    assert ometria_server.held["2"]["status"] == "cancelled"
    assert ometria_server.held["3"]["total_refunded"] == Decimal("125.00")
    assert ometria_server.held["1"]["grand_total"] == Decimal("125.00")
