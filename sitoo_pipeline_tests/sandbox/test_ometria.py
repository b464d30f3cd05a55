from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline.sandbox.ometria_app import Ometria
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


def test_a_bad_record_is_accepted_and_its_error_does_not_name_it(running: Sandbox, ometria: httpx.Client) -> None:
    answer = ometria.post("/push", json=[order(1), order(3, currency=None)])
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 0)
    assert set(running.ometria.orders) == {"sitoo-1"}
    errors = ometria.get("/push/_errors").json()
    assert errors == [{"error_message": "This value is required", "error_path": "root > currency"}]


def test_a_record_that_is_too_large_is_rejected_at_once(running: Sandbox, ometria: httpx.Client) -> None:
    answer = ometria.post("/push", json=[order(1), order(2, comment="x" * 62_000)])
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 1)
    assert set(running.ometria.orders) == {"sitoo-1"}
    [error] = ometria.get("/push/_errors").json()
    assert error["error_message"] == "Payload invalid: Record is too large."


def test_an_ometria_that_looks_at_once_counts_what_it_rejects(running: Sandbox, ometria: httpx.Client) -> None:
    running.ometria.rejects_at_once = True
    answer = ometria.post("/push", json=[order(1), order(2, grand_total="much"), order(3, timestamp="noon")]).json()
    assert (answer["accepted"], answer["rejected"]) == (1, 2)
    assert [error["error_path"] for error in running.ometria.errors] == ["root > grand_total", "root > timestamp"]


def test_only_the_last_hundred_errors_are_kept(ometria: httpx.Client) -> None:
    for _ in range(2):
        ometria.post("/push", json=[order(number, currency="") for number in range(70)])
    assert len(ometria.get("/push/_errors").json()) == 100


def test_records_are_looked_at_later_and_queue_until_then(running: Sandbox, ometria: httpx.Client) -> None:
    now = 100.0
    state = running.ometria.state
    state.clock, state.delay, state.queue_limit = lambda: now, 5.0, 3
    answer = ometria.post("/push", json=[order(1), order(2, currency="")])
    assert answer.json()["accepted"] == 2
    assert (answer.headers["X-QueueSize-Limit"], answer.headers["X-QueueSize-Remaining"]) == ("3", "1")
    assert ometria.get("/orders/sitoo-1").status_code == 404
    assert ometria.get("/push/_errors").json() == []
    assert ometria.post("/push", json=[order(3), order(4)]).status_code == 429
    now = 105.0
    assert ometria.get("/orders/sitoo-1").json() == order(1)
    errors = ometria.get("/push/_errors")
    assert (len(errors.json()), errors.headers["X-QueueSize-Remaining"]) == (1, "3")


def test_a_fragment_replaces_unless_it_says_merge(running: Sandbox, ometria: httpx.Client) -> None:
    cancelled = {"@type": "order", "id": "sitoo-1", "status": "cancelled"}
    ometria.post("/push", json=[order(1)])
    ometria.post("/push", json=[cancelled])
    assert running.ometria.errors[-1]["error_path"] == "root > timestamp"  # an update must be the whole order
    ometria.post("/push", json=[{**cancelled, "@merge": True}])
    assert running.ometria.orders["sitoo-1"] == order(1, status="cancelled")
    running.ometria.state.merges_always = True
    ometria.post("/push", json=[{**cancelled, "status": "complete"}])
    assert running.ometria.orders["sitoo-1"] == order(1, status="complete")


def contact(number: str, **more: object) -> Record:
    return {"@type": "contact", "id": number, "email": "asa@example.com", **more}


def test_a_forced_opt_in_wins_and_otherwise_an_opt_out_does(running: Sandbox, ometria: httpx.Client) -> None:
    def said(*records: Record) -> str:
        ometria.post("/push", json=list(records))
        return running.ometria.state.consents.of("Asa@example.com")

    optin, optout = "EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT"
    assert said(contact("a")) == "NOT_SPECIFIED"
    assert said(contact("a", marketing_optin=optin)) == optin
    assert said(contact("b", marketing_optin=optout)) == optout
    assert said(contact("a")) == optout
    assert said(contact("a", **{"marketing_optin": optin, "@force_optin": True})) == optin
    assert said(contact("a", marketing_optin=optout)) == optin
    assert said(contact("a", **{"marketing_optin": optout, "@force_optin": True})) == optout
    assert said(contact("c", marketing_optin="EXPLICITYLY_OPTEDOUT")) == optout
    assert running.ometria.errors[-1]["error_path"] == "root > marketing_optin"


def test_orders_and_contacts_cluster_by_customer_and_then_by_address(running: Sandbox, ometria: httpx.Client) -> None:
    ometria.post("/push", json=[contact("a", customer_id="C1"), contact("b", customer_id="C1"), contact("c")])
    orders = [
        order(1, customer={"id": "C1", "email": "other@example.com"}),
        order(2, customer={"email": "ASA@example.com"}),
        order(3, customer={"id": "C9", "email": "new@example.com"}),
        order(4, customer={"email": "new@example.com"}),
        order(5),
        order(6, customer={"firstname": "Asa"}),
    ]
    ometria.post("/push", json=orders)
    found = [(each.contacts, each.orders) for each in running.ometria.profiles]
    assert found == [(["a", "b"], ["sitoo-1"]), (["c"], ["sitoo-2"]), ([], ["sitoo-3", "sitoo-4"])]


MAIL = {
    "transactional": True,
    "template_id": 3,
    "subject": "Your receipt",
    "stream": "receipts",
    "from": {"email": "shop@example.com", "name": "Shop"},
    "to": {"email": "asa@example.com"},
    "data": {"order_id": "1"},
}


def test_an_email_twice_is_two_emails(running: Sandbox, ometria: httpx.Client) -> None:
    for mail in (MAIL, MAIL, {**MAIL, "sandbox": True}):
        assert ometria.post("/transactional-email/send", json=mail).status_code == 200
    outbox = running.ometria.outbox
    assert (len(outbox.sent), len(outbox.tried), outbox.duplicates) == (2, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": {"email": "nobody"}},
        {"from": None},
        {"transactional": False},
        {"subject": ""},
        {"template_id": None},
        {"template_id": 4},
        {"attachments": [{"content": "aGVsbG8="}]},
    ],
)
def test_an_email_that_is_wrong_is_refused(running: Sandbox, ometria: httpx.Client, wrong: Record) -> None:
    running.ometria.outbox.templates = {3}
    assert ometria.post("/transactional-email/send", json={**MAIL, **wrong}).status_code == 400
    assert running.ometria.outbox.sent == []


@pytest.mark.parametrize("path", ["/push", "/push/_errors", "/transactional-email/send"])
def test_too_many_requests_in_a_second(running: Sandbox, ometria: httpx.Client, path: str) -> None:
    running.ometria = Ometria(pushes_per_second=1, reads_per_second=1, emails_per_second=1)
    bodies = {"/push": [order(1)], "/transactional-email/send": MAIL}
    method = "POST" if path in bodies else "GET"
    answers = [ometria.request(method, path, json=bodies.get(path)).status_code for _ in range(8)]
    assert answers[0] == 200
    assert 429 in answers
