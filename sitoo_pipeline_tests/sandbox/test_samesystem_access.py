from __future__ import annotations

import re

import httpx
import pytest

from sitoo_pipeline_tests.sandbox.conftest import CHAIN
from sitoo_pipeline_tests.sandbox.samesystem import MONDAY, PLAIN, Client, Clock, refused

JSON = {"content-type": "application/json"}
UNAUTHORIZED = {"status": "unauthorized"}


def test_a_login_lasts_ten_minutes(client: Client, clock: Clock) -> None:
    assert client.get("/departments").status_code == 401
    answer = client.login()
    assert (answer.status_code, answer.json()["status"]) == (201, "ok")
    clock.advance(minutes=9, seconds=59)
    assert client.get("/departments").status_code == 200
    clock.advance(seconds=1)
    assert client.get("/departments").status_code == 401
    client.login()
    assert client.get("/departments").status_code == 200


def test_tokens_can_be_ended_by_hand_and_an_ended_one_looks_like_a_missing_right(client: Client) -> None:
    client.login()
    client.sandbox.samesystem.tokens.expire()
    ended = client.get(client.balance(MONDAY))
    client.login()
    client.sandbox.samesystem.rights.remove("read")
    forbidden = client.get(client.balance(MONDAY))
    assert ended.status_code == forbidden.status_code == 401
    assert ended.json() == forbidden.json() == UNAUTHORIZED
    client.sandbox.samesystem.rights.add("read")
    assert client.get(client.balance(MONDAY)).status_code == 200


@pytest.mark.parametrize(
    ("right", "path"),
    [
        ("save", "save/2026-11-02/1"),
        ("confirm", "confirm/2026-11-02/1"),
        ("unconfirm", "unconfirm/2026-11-02/1"),
        ("approve_week", "approve_week/2026-11-02/1"),
        ("unapprove_week", "unapprove_week/2026-11-02/1"),
    ],
)
def test_each_action_has_a_right_of_its_own(client: Client, right: str, path: str) -> None:
    client.login()
    client.sandbox.samesystem.rights.remove(right)
    assert client.post(client.balance(path)).json() == UNAUTHORIZED
    client.sandbox.samesystem.rights = {right}
    assert client.post(client.balance(path)).status_code != 401
    assert client.get(client.balance(MONDAY)).status_code == 401


def test_wrong_credentials(client: Client) -> None:
    assert refused(client.login(password="wrong"), 401, "password")
    assert refused(client.login(email="someone@lindo.example"), 401, "e-mail")
    assert client.get("/departments").status_code == 401


def test_a_second_login_ends_the_first_token_unless_switched_off(client: Client) -> None:
    other = Client(client.sandbox)
    client.login()
    other.login()
    assert client.get("/departments").status_code == 401
    assert other.get("/departments").status_code == 200
    client.sandbox.samesystem.tokens.ends_earlier = False
    client.login()
    assert other.get("/departments").status_code == client.get("/departments").status_code == 200


def test_logout(client: Client) -> None:
    assert client.post("/logout").status_code == 401
    client.login()
    assert client.post("/logout").json() == {"status": "ok"}
    assert client.get("/departments").status_code == 401


@pytest.mark.parametrize("header", ['Token "{token}"', "Bearer {token}", "{token}", 'Token token="x{token}"'])
def test_the_token_belongs_in_its_own_header(client: Client, header: str) -> None:
    client.login()
    match = re.search('"(.*)"', client.headers["authorization"])
    assert match
    client.headers["authorization"] = header.format(token=match[1])
    assert client.get("/departments").status_code == 401


def test_departments_are_the_stores_and_one_has_no_number(client: Client) -> None:
    client.login()
    departments = client.get("/departments").json()["departments"]
    assert [set(department) for department in departments] == [{"name", "ctx_token", "dpt_no"}] * 5
    assert all(re.fullmatch(r"c\d+d\d+", department["ctx_token"]) for department in departments)
    numbers = [department["dpt_no"] for department in departments]
    assert numbers == [None, *(store.externalid for store in CHAIN.store_list)]


def test_an_unknown_department_is_someone_elses(client: Client) -> None:
    client.login()
    answer = client.get(f"/c1d999/weekly_balance/{MONDAY}")
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_a_request_says_that_it_is_json_in_its_header_or_its_address(client: Client) -> None:
    client.login()
    del client.headers["content-type"]
    path = client.balance("fields")
    assert refused(client.get(path), 406, "content type")
    assert client.get(f"{path}.json").status_code == 200


def test_a_token_for_one_department(client: Client, clock: Clock) -> None:
    email, password = client.sandbox.samesystem_user
    ctx_token = client.sandbox.samesystem.state.department("0101").ctx_token
    credentials = {"username": email, "password": password, "grant_type": "password"}
    address = f"{client.sandbox.samesystem_url}/{ctx_token}/oauth/token"
    for form in ("json", "data"):
        answer = httpx.request("POST", address, verify=PLAIN, **{form: credentials})  # type: ignore[arg-type]
        assert answer.status_code == 200
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        assert client.get(client.balance(MONDAY)).status_code == 200
    assert client.get(client.balance(MONDAY, "0102")).status_code == 401
    assert client.get("/departments").status_code == 401
    clock.advance(minutes=59)
    assert client.get(client.balance(MONDAY)).status_code == 200
    clock.advance(minutes=1)
    assert client.get(client.balance(MONDAY)).status_code == 401


def test_tokens_of_several_departments_and_a_login_live_side_by_side(client: Client) -> None:
    email, password = client.sandbox.samesystem_user
    client.login()
    headers = {"0101": "", "0102": ""}
    for dpt_no in headers:
        ctx_token = client.sandbox.samesystem.state.department(dpt_no).ctx_token
        credentials = {"username": email, "password": password, "grant_type": "password"}
        token = client.post(f"/{ctx_token}/oauth/token", credentials).json()["access_token"]
        headers[dpt_no] = f"Bearer {token}"
    assert client.get("/departments").status_code == 200
    for dpt_no, header in headers.items():
        client.headers["authorization"] = header
        assert client.get(client.balance(MONDAY, dpt_no)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"password": "wrong"}, "invalid_grant"), ({"grant_type": "client_credentials"}, "unsupported_grant_type")],
)
def test_no_token_for_wrong_credentials(client: Client, wrong: dict[str, str], error: str) -> None:
    email, password = client.sandbox.samesystem_user
    ctx_token = client.sandbox.samesystem.state.department("0101").ctx_token
    answer = client.post(
        f"/{ctx_token}/oauth/token", {"username": email, "password": password, "grant_type": "password", **wrong}
    )
    assert answer.status_code in {400, 401}
    assert answer.json() == {"error": error}


def test_sitoos_credentials_are_no_use_here_and_unknown_addresses_are_not_found(client: Client) -> None:
    client.login()
    assert refused(client.get("/c1d1/turnover"), 404, "Not found")
    url = f"{client.sandbox.samesystem_url}/departments"
    answer = httpx.get(url, auth=client.sandbox.api_users[0], headers=JSON, verify=PLAIN)
    assert answer.status_code == 401
