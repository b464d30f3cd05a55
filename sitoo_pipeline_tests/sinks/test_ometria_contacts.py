"""Contacts that follow from orders: who they are, what is said of them, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from sitoo_pipeline.sinks import Ledger, deliver
from sitoo_pipeline.sinks.ometria import Ometria
from sitoo_pipeline.sinks.ometria_customers import contact_records
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, orders
from sitoo_pipeline_tests.sinks.ometria_server import KEY, OmetriaServer

ANN = {"order_id": 1, "email": "ann@example.com", "name_first": "Ann", "name_last": "Berg"}
LATER = {"business_date": NEXT_DAY, "hour_start": datetime(2024, 5, 3, 8, tzinfo=UTC)}


def test_a_contact_says_what_the_order_knows_and_nothing_about_opt_in() -> None:
    (record,) = contact_records(orders=orders({**ANN, "crm_customer_id": "C-9", "phone": "+46 70-123 45 67"})).records
    assert (record.key, record.partition, record.newest_wins) == ("contact:C-9", DAY, True)
    assert record.payload == {
        "@type": "contact",
        "@collection": "sitoo",
        "id": "C-9",
        "customer_id": "C-9",
        "email": "ann@example.com",
        "firstname": "Ann",
        "lastname": "Berg",
        "phone_number": "+46701234567",
    }


@pytest.mark.parametrize("phone", [None, "", "070-1234567", "+46 (0)70 123 45 67", "+0701234567", "+46x"])
def test_a_number_that_is_not_international_is_left_out(phone: str | None) -> None:
    (record,) = contact_records(orders=orders({**ANN, "phone": phone})).records
    assert "phone_number" not in record.payload


def test_opt_in_is_said_only_when_set_and_never_forced() -> None:
    (record,) = contact_records(orders=orders(ANN), opt_in=True).records
    assert record.payload["marketing_optin"] == "EXPLICITLY_OPTEDIN"
    assert "@force_optin" not in record.payload


def test_ids_are_stable_and_show_no_address() -> None:
    one = contact_records(orders=orders(ANN), id_prefix="s-", collection="shops").records[0]
    two = contact_records(
        orders=orders({**ANN, "email": " ANN@Example.COM"}), id_prefix="s-", collection="shops"
    ).records[0]
    assert one == two
    assert one.payload == two.payload
    assert one.payload["id"] == "s-" + one.payload["customer_id"]
    assert "ann" not in one.key


def test_orders_without_address_or_that_do_not_count_make_no_contact() -> None:
    rows = orders({**ANN, "counts": False}, {"order_id": 2}, {"order_id": 3, "email": "nobody"})
    assert contact_records(orders=rows).records == ()


def test_the_newest_order_names_the_customer_whatever_the_order_of_the_rows() -> None:
    rows = orders(ANN, {**ANN, **LATER, "order_id": 2, "name_last": "Lind"})
    for frame in (rows, rows.reverse()):
        (record,) = contact_records(orders=frame).records
        assert (record.payload["lastname"], record.partition) == ("Lind", NEXT_DAY)


def test_days_delivered_in_any_order_end_with_the_newest_name(ometria_server: OmetriaServer, ledger: Ledger) -> None:
    first, second = orders(ANN), orders({**ANN, **LATER, "order_id": 2, "name_last": "Lind"})

    def run(frame: pl.DataFrame) -> int:
        with Ometria(base_url=ometria_server.base_url, api_key=KEY, requests_per_second=float("inf")) as target:
            records = contact_records(orders=frame).records
            return deliver(target=target, records=records, ledger=ledger, account="acme", run_id="r").delivered

    assert [run(second), run(first), run(second), run(first)] == [1, 0, 0, 0]
    (held,) = ometria_server.held.values()
    assert held["lastname"] == "Lind"
