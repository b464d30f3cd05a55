from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline_tests.sandbox.conftest import CHAIN, NOW


@pytest.fixture
def broken() -> Iterator[Sandbox]:
    with Sandbox(chain=CHAIN, now=NOW) as running:
        yield running


PLAIN = httpx.create_ssl_context(verify=False)  # made once: there is no TLS on loopback


def ask(sandbox: Sandbox, path: str = "/orders.json?num=50") -> httpx.Response:
    return httpx.get(f"{sandbox.sitoo_url}{path}", auth=sandbox.api_users[0], verify=PLAIN)


def test_refusals(broken: Sandbox) -> None:
    for kind, status in (("500", 500), ("503", 503), ("429-seconds", 429), ("429-date", 429)):
        broken.faults = Faults(rate=1, kinds=(kind,), retry_after=3)
        answer = ask(broken)
        assert answer.status_code == answer.json()["statuscode"] == status
        if kind == "429-seconds":
            assert answer.headers["retry-after"] == "3"
        if kind == "429-date":
            assert parsedate_to_datetime(answer.headers["retry-after"]).tzinfo is not None


def test_spoilt_answers(broken: Sandbox) -> None:
    broken.faults = Faults(rate=1, kinds=("html",))
    assert ask(broken).headers["content-type"] == "text/html"
    broken.faults = Faults(rate=1, kinds=("missing-items",))
    assert "items" not in ask(broken).json()
    broken.faults = Faults(rate=1, kinds=("cut",))
    with pytest.raises(httpx.RemoteProtocolError):
        ask(broken)
    broken.faults = Faults(rate=1, kinds=("reset",))
    with pytest.raises(httpx.TransportError):
        ask(broken)
    broken.faults = Faults()
    assert len(ask(broken).json()["items"]) == 50


def test_one_resource_fails_for_good_and_the_others_work(broken: Sandbox) -> None:
    broken.faults = Faults(rate=1, kinds=("500",), match=r"/orders\.json\?.*num=50")
    assert [ask(broken).status_code for _ in range(3)] == [500, 500, 500]
    assert ask(broken, "/orders.json?num=51").status_code == 200
    broken.faults = Faults(rate=1, kinds=("503",), match=lambda target: "/stores" in target)
    assert ask(broken).status_code == 200
    assert ask(broken, "/sites/1/stores.json").status_code == 503


def test_a_limited_number_of_faults(broken: Sandbox) -> None:
    broken.faults = Faults(rate=1, kinds=("500",), times=2)
    assert [ask(broken).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_a_share_of_requests_the_same_ones_each_time(broken: Sandbox) -> None:
    runs = []
    for _ in range(2):
        broken.faults = Faults(rate=0.4, kinds=("500", "503"), seed=5)
        runs.append([ask(broken, "/sites.json").status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500, 503}
    assert 8 < sum(status != 200 for status in runs[0]) < 24


def test_an_unknown_fault_is_an_error() -> None:
    with pytest.raises(ValueError, match="teapot"):
        Faults(kinds=("teapot",))


def test_a_push_whose_answer_is_lost_was_taken_all_the_same(broken: Sandbox) -> None:
    order = {
        "@type": "order",
        "id": "1",
        "timestamp": "2026-11-01T10:00:00+01:00",
        "grand_total": "10.00",
        "currency": "SEK",
    }
    headers = {"X-Ometria-Auth": broken.ometria_key}
    broken.faults = Faults(rate=1, kinds=("reset",))
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{broken.ometria_url}/push", json=[order], headers=headers)
    assert broken.ometria.orders == {"1": order}
    broken.faults = Faults(rate=1, kinds=("500",))
    assert httpx.post(f"{broken.ometria_url}/push", json=[{**order, "id": "2"}], headers=headers).status_code == 500
    assert set(broken.ometria.orders) == {"1"}
