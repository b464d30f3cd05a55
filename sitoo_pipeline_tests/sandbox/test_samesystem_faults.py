from __future__ import annotations

from datetime import date
from itertools import groupby

import httpx
import pytest

from sitoo_pipeline.sandbox import Faults
from sitoo_pipeline_tests.sandbox.samesystem import FULL, MONDAY, Client

DAY = date.fromisoformat(MONDAY)
SAVES = r"/weekly_balance/save/"


@pytest.fixture(autouse=True)
def _logged_in(client: Client) -> None:
    client.login()


def saved(client: Client) -> bool:
    return "Gross sales" in client.sandbox.samesystem.state.shown("0101", DAY)[1]


@pytest.mark.parametrize(("kind", "status"), [("429-seconds", 429), ("429-date", 429), ("500", 500), ("503", 503)])
def test_a_refusal_does_nothing(client: Client, kind: str, status: int) -> None:
    client.sandbox.faults = Faults(rate=1, kinds=(kind,), match=SAVES, times=1)
    assert client.save(MONDAY, FULL).status_code == status
    assert not saved(client)
    assert client.save(MONDAY, FULL).status_code == 200


@pytest.mark.parametrize(("kind", "is_done"), [("reset-before", False), ("reset", True), ("cut", True)])
def test_a_broken_connection_before_and_after_the_save(client: Client, kind: str, is_done: bool) -> None:
    client.sandbox.faults = Faults(rate=1, kinds=(kind,), match=SAVES)
    with pytest.raises(httpx.TransportError):
        client.save(MONDAY, FULL)
    assert saved(client) is is_done


def test_a_connection_that_breaks_before_a_confirmation(client: Client) -> None:
    client.save(MONDAY, FULL)
    client.sandbox.faults = Faults(rate=1, kinds=("reset-before",), match="/confirm/", times=1)
    with pytest.raises(httpx.TransportError):
        client.act("confirm", MONDAY)
    assert client.act("confirm", MONDAY).status_code == 200  # and would be refused, had it been confirmed


def test_a_confirmation_whose_answer_was_lost_is_refused_when_repeated(client: Client) -> None:
    client.save(MONDAY, FULL)
    client.sandbox.faults = Faults(rate=1, kinds=("reset",), match="/confirm/", times=1)
    with pytest.raises(httpx.TransportError):
        client.act("confirm", MONDAY)
    assert client.act("confirm", MONDAY).status_code == 412
    assert client.sandbox.samesystem.state.is_confirmed("0101", DAY)


def test_a_slow_body_outlasts_the_clients_patience_and_the_save_is_done(client: Client) -> None:
    client.sandbox.faults = Faults(rate=1, kinds=("slow",), match=SAVES, pause_ms=300)
    client.timeout = 0.1
    with pytest.raises(httpx.ReadTimeout):
        client.save(MONDAY, FULL)
    assert saved(client)
    client.timeout = 5
    answer = client.save(MONDAY, FULL)
    assert answer.json()["status"] == "ok"
    assert answer.elapsed.total_seconds() >= 0.3


def test_faults_come_in_bursts(client: Client) -> None:
    client.sandbox.faults = Faults(rate=0.2, kinds=("429-seconds", "503"), match=SAVES, burst=4, seed=3)
    statuses = [client.save(MONDAY, FULL).status_code for _ in range(60)]
    runs = [(status, len(list(run))) for status, run in groupby(statuses) if status != 200]
    assert {429, 503} == {status for status, _ in runs}
    assert all(length % 4 == 0 for _, length in runs)
    assert 200 in statuses


def test_a_burst_ends_where_no_more_faults_are_allowed(client: Client) -> None:
    client.sandbox.faults = Faults(rate=1, kinds=("503",), match=SAVES, burst=10, times=3)
    assert [client.save(MONDAY, FULL).status_code for _ in range(5)] == [503, 503, 503, 200, 200]


def test_ometria_breaks_before_it_takes_a_push_too(client: Client) -> None:
    sandbox = client.sandbox
    sandbox.faults = Faults(rate=1, kinds=("reset-before",))
    contact = {"@type": "contact", "id": "before", "email": "asa@example.com"}
    headers = {"X-Ometria-Auth": sandbox.ometria_key}
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{sandbox.ometria_url}/push", json=[contact], headers=headers)
    assert "before" not in sandbox.ometria.contacts
