from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline_tests.sandbox.conftest import CHAIN, NOW


@pytest.mark.parametrize("auth", [None, ("1500-1", "wrong"), ("1500-9", "x")])
def test_without_a_valid_api_user_everything_answers_401(sandbox: Sandbox, auth: tuple[str, str] | None) -> None:
    answer = httpx.get(f"{sandbox.sitoo_url}/orders.json", auth=auth)
    assert answer.status_code == 401
    assert answer.json() == {"statuscode": 401, "errortext": "Authorization failed"}


def test_every_api_user_has_its_own_password_and_all_work(sandbox: Sandbox) -> None:
    assert len({password for _, password in sandbox.api_users}) == 2
    for user in sandbox.api_users:
        assert httpx.get(f"{sandbox.sitoo_url}/sites.json", auth=user).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v2/accounts/1501/orders.json", "/v2/accounts/1500/nothing.json", "/v2/accounts/1500/sites/2/stores"]
)
def test_another_account_site_or_resource_is_not_found(sandbox: Sandbox, path: str) -> None:
    root = sandbox.sitoo_url.removesuffix("/v2/accounts/1500")
    answer = httpx.get(root + path, auth=sandbox.api_users[0])
    assert answer.status_code == 404
    assert answer.json()["statuscode"] == 404


def test_the_suffix_json_changes_nothing(api: httpx.Client) -> None:
    assert api.get("/sites/1/stores").json() == api.get("/sites/1/stores.json").json()


def test_a_guid_as_site_finds_nothing_and_is_no_error(api: httpx.Client) -> None:
    answer = api.get("/sites/{25D9C5B8-51FC-5751-7FBE-37368C7E4EF0}/stores.json")
    assert (answer.status_code, answer.json()) == (200, {"totalcount": 0, "items": []})


@pytest.mark.parametrize("query", ["num=ten", "orderidfrom=1.5", "orderid=1,x", "start=-1", "num=1_0"])
def test_what_is_no_integer_answers_400(api: httpx.Client, query: str) -> None:
    answer = api.get(f"/orders.json?{query}")
    assert answer.status_code == 400
    assert answer.json()["statuscode"] == 400


def test_gzip_only_for_those_who_accept_it_and_the_same_body_either_way(api: httpx.Client) -> None:
    packed = api.get("/orders.json", headers={"Accept-Encoding": "gzip"})
    plain = api.get("/orders.json", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


def test_a_second_request_in_flight_of_one_api_user_answers_429() -> None:
    with Sandbox(chain=CHAIN, now=NOW, faults=Faults(latency_ms=150)) as sandbox, ThreadPoolExecutor(3) as pool:
        first, second = sandbox.api_users
        url = f"{sandbox.sitoo_url}/sites.json"
        answers = list(pool.map(lambda user: httpx.get(url, auth=user), [first, first, second]))
        assert sorted(answer.status_code for answer in answers[:2]) == [200, 429]
        assert answers[2].status_code == 200
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json() == {"statuscode": 429, "errortext": "Too many connections"}


def test_one_after_the_other_is_never_too_many(api: httpx.Client) -> None:
    assert {api.get("/sites.json").status_code for _ in range(50)} == {200}


def test_requests_are_recorded_until_they_are_cleared() -> None:
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        httpx.get(f"{sandbox.sitoo_url}/orders.json?num=1", auth=sandbox.api_users[0])
        assert sandbox.requests == [("GET", "/v2/accounts/1500/orders.json", "num=1")]
        sandbox.clear_requests()
        assert sandbox.requests == []
