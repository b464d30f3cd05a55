from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline_tests.sandbox.conftest import CHAIN, NOW

Record = dict[str, Any]


@pytest.fixture
def running() -> Iterator[Sandbox]:
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def ometria(running: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.ometria_url, headers={"X-Ometria-Auth": running.ometria_key}) as client:
        yield client


def order(number: int, **more: object) -> Record:
    fixed = {"timestamp": "2026-11-01T10:00:00+01:00", "grand_total": "10.00", "currency": "SEK"}
    return {"@type": "order", "id": f"sitoo-{number}", **fixed, **more}


def test_a_key_is_needed(running: Sandbox) -> None:
    answer = httpx.post(f"{running.ometria_url}/push", json=[order(1)], headers={"X-Ometria-Auth": "wrong"})
    assert answer.status_code == 403
    assert running.ometria.orders == {}


def test_records_are_taken_and_read_back(running: Sandbox, ometria: httpx.Client) -> None:
    answer = ometria.post("/push", json=[order(1), order(2)]).json()
    assert answer.pop("request_id")
    assert answer == {"status": "OK", "accepted": 2, "rejected": 0}
    contact = {"@type": "contact", "id": "c1", "email": "asa@example.com"}
    ometria.post("/push", json=[contact])
    assert ometria.get("/orders/sitoo-2").json() == order(2)
    assert ometria.get("/contacts/c1").json() == contact
    assert ometria.get("/orders/sitoo-3").status_code == 404
    assert running.ometria.requests == [[order(1), order(2)], [contact]]
    assert running.ometria.contacts == {"c1": contact}


def test_an_order_is_replaced_as_a_whole(running: Sandbox, ometria: httpx.Client) -> None:
    ometria.post("/push", json=[order(1, coupon_code="X")])
    ometria.post("/push", json=[order(1)])
    assert running.ometria.orders["sitoo-1"] == order(1)


@pytest.mark.parametrize(
    "body",
    [
        order(1),
        [order(number) for number in range(101)],
        [order(1), {"@type": "contact", "id": "1", "email": "a@example.com"}],
    ],
)
def test_a_request_that_breaks_the_rules_is_refused_whole(
    running: Sandbox, ometria: httpx.Client, body: object
) -> None:
    assert ometria.post("/push", json=body).status_code == 400
    assert running.ometria.records == {}


def test_a_hundred_records_are_allowed(ometria: httpx.Client) -> None:
    assert ometria.post("/push", json=[order(number) for number in range(100)]).json()["accepted"] == 100


def test_a_bad_record_is_rejected_under_200_and_its_error_does_not_name_it(
    running: Sandbox, ometria: httpx.Client
) -> None:
    large = order(2, comment="x" * 62_000)
    answer = ometria.post("/push", json=[order(1), large, order(3, currency=None)])
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 2)
    assert set(running.ometria.orders) == {"sitoo-1"}
    errors = ometria.get("/push/_errors").json()
    assert [set(error) for error in errors] == [{"error_message", "error_path"}] * 2
    assert errors[1]["error_path"] == "root > currency"


def test_only_the_last_hundred_errors_are_kept(ometria: httpx.Client) -> None:
    for _ in range(2):
        ometria.post("/push", json=[order(number, currency="") for number in range(70)])
    assert len(ometria.get("/push/_errors").json()) == 100


def test_too_many_pushes_in_a_second() -> None:
    with Sandbox(chain=CHAIN, now=NOW, pushes_per_second=1) as sandbox:
        headers = {"X-Ometria-Auth": sandbox.ometria_key}
        answers = [
            httpx.post(f"{sandbox.ometria_url}/push", json=[order(1)], headers=headers).status_code for _ in range(8)
        ]
    assert answers[0] == 200
    assert 429 in answers
