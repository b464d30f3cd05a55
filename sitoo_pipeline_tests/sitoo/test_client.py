"""SitooClient.get(): what is sent, what is retried, and what every failure says."""

from __future__ import annotations

import gzip
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sitoo_pipeline.sitoo import ApiUser, SitooClient
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.sitoo.errors import (
    BadRequest,
    CredentialsRefused,
    NotFound,
    PermanentSitooError,
    SitooError,
    TransientSitooError,
    Unreachable,
)
from sitoo_pipeline_tests.sitoo.conftest import PASSWORD, Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Request, Server, answer, refusal, script_of

PAGE = {"totalcount": 1, "items": [{"orderid": 1}]}
HTML = Answer(b"<html><body>Bad gateway of Anna</body></html>", headers={"Content-Type": "text/html"})
WHOLE = answer(PAGE)


def test_a_request_is_sent_as_sitoo_wants_it(serve: Serve, connect: Connect) -> None:
    server = serve(script_of(WHOLE))
    path = "/sites/1/cashregisters/%7B3CCB9848%7D/zreports.json"
    params: Params = {"num": 1000, "registerid": ["{A}", "{B}"], "includenotregistered": True, "dateaddedto": None}
    connect(server).get(path, params)

    [request] = server.seen
    assert request.path == "/sites/1/cashregisters/{3CCB9848}/zreports.json"
    assert request.query == {"num": "1000", "registerid": "{A},{B}", "includenotregistered": "true"}
    assert request.api_id == "1500-1"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Accept-Encoding"] == "gzip"


def test_a_body_is_kept_as_received(serve: Serve, connect: Connect) -> None:
    body = connect(serve(script_of(WHOLE))).get("/orders.json")
    assert body.data == WHOLE.body
    assert (body.document, body.items, body.total, body.tries) == (PAGE, PAGE["items"], 1, 1)
    assert "orderid" not in repr(body)


def test_a_body_may_be_compressed_in_parts(serve: Serve, connect: Connect) -> None:
    text = gzip.decompress(WHOLE.body)
    body = replace(WHOLE, body=gzip.compress(text[:7]) + gzip.compress(text[7:]))
    found = connect(serve(script_of(body))).get("/orders.json")
    assert (found.document, found.data) == (PAGE, body.body)


def test_a_plain_body_is_compressed_here(serve: Serve, connect: Connect) -> None:
    plain = answer(PAGE, compress=False)
    body = connect(serve(script_of(plain))).get("/orders.json")
    assert gzip.decompress(body.data) == plain.body


def test_an_array_and_an_object_are_answers_where_they_are_expected(serve: Serve, connect: Connect) -> None:
    client = connect(serve(script_of(answer([{"zreportid": 1}]), answer({"storeid": 1}))))
    assert client.get("/pos-z-reports", {}, "array").items == [{"zreportid": 1}]
    assert client.get("/sites/1/stores/1.json", {}, "object").document == {"storeid": 1}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (refusal(408), "408 Request Timeout"),
        (refusal(429, "Too many connections"), "Too many connections"),
        (refusal(500, "Oops"), "500 Internal Server Error, 'Oops'"),
        (Answer(b"<html>", 503), "503 Service Unavailable, 'an HTML page'"),
        (refusal(599), "599"),
        (HTML, "200 with an HTML page"),
        (Answer(b""), "200 with an empty body"),
        (Answer(b"", 204), "204 with an empty body"),
        (Answer(b'{"totalcount": 1, "items": [{"orde'), "a body that is cut or no JSON"),
        (Answer(WHOLE.body[:-9], headers=WHOLE.headers), "cut or no valid gzip"),
        (Answer(b"not gzip", headers=WHOLE.headers), "cut or no valid gzip"),
        (Answer(WHOLE.body, headers=WHOLE.headers, cut=10), "the connection broke"),
        (Answer(WHOLE.body, headers={"Content-Encoding": "br"}), "a content encoding that was not asked for"),
        (answer({"totalcount": 1}), "not an object with a list of items"),
        (answer({"totalcount": 1, "items": None}), "not an object with a list of items"),
        (answer([]), "not an object with a list of items"),
        (answer({"statuscode": 500, "errortext": "Oops"}), "Oops"),
    ],
)
class TestTransientFailures:
    def test_a_later_try_can_succeed(self, serve: Serve, connect: Connect, broken: Answer, said: str) -> None:
        client = connect(serve(script_of(broken, broken, WHOLE)))
        assert client.get("/orders.json").tries == 3
        assert client.requests == 3

    def test_the_last_try_is_told(self, serve: Serve, connect: Connect, broken: Answer, said: str) -> None:
        server = serve(script_of(broken))
        with pytest.raises(TransientSitooError) as caught:
            connect(server).get("/orders.json", {"orderidfrom": 7})
        assert len(server.seen) == caught.value.tries == 3
        assert str(caught.value).startswith("GET /orders.json?orderidfrom=7: ")
        assert said in str(caught.value)
        assert "(after 3 tries)" in str(caught.value)
        assert "Anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (400, BadRequest, "parameter"),
        (401, CredentialsRefused, "api_id and api_password"),
        (403, CredentialsRefused, "api_id and api_password"),
        (404, NotFound, "base_url"),
        (412, PermanentSitooError, "Trying again will not help"),
        (302, PermanentSitooError, "base_url"),
    ],
)
def test_a_permanent_failure_is_not_tried_again(
    serve: Serve, connect: Connect, status: int, kind: type[SitooError], remedy: str
) -> None:
    server = serve(script_of(refusal(status, "Because", headers={"Location": "/"}), WHOLE))
    with pytest.raises(kind) as caught:
        connect(server).get("/orders.json")
    assert type(caught.value) is kind
    assert len(server.seen) == caught.value.tries == 1
    assert caught.value.status == status
    assert "Because" in str(caught.value)
    assert remedy in caught.value.remedy


def test_refused_credentials_name_the_api_user(serve: Serve, connect: Connect) -> None:
    with pytest.raises(CredentialsRefused, match="to API user 1500-1"):
        connect(serve(script_of(refusal(401)))).get("/orders.json")


def test_a_wanted_array_that_is_an_object_is_transient(serve: Serve, connect: Connect) -> None:
    with pytest.raises(TransientSitooError, match="not an array"):
        connect(serve(script_of(WHOLE))).get("/pos-z-reports", {}, "array")


def test_a_server_that_is_not_there(connect: Connect) -> None:
    with Server(script_of(WHOLE)) as gone:
        url = gone.url
    with pytest.raises(
        Unreachable, match=r"no connection to http://127\.0\.0\.1:\d+/v2/accounts/1500, ConnectError"
    ) as caught:
        connect(url).get("/orders.json")
    assert isinstance(caught.value, TransientSitooError)
    assert caught.value.tries == 3
    assert "base_url" in caught.value.remedy


def test_an_answer_that_does_not_come(serve: Serve, connect: Connect) -> None:
    release = threading.Event()

    def never(_: Request) -> Answer:
        release.wait(10)
        return WHOLE

    try:
        with pytest.raises(TransientSitooError, match="ReadTimeout"):
            connect(serve(never), read_timeout=0.02).get("/orders.json")
    finally:
        release.set()


def test_one_request_in_flight_for_each_api_user(serve: Serve, connect: Connect) -> None:
    together = threading.Barrier(2)

    def slow(_: Request) -> Answer:
        together.wait(10)  # passes only while both API users have a request in flight
        time.sleep(0.002)
        return WHOLE

    server = serve(slow)
    client = connect(server, users=2)
    with ThreadPoolExecutor(8) as threads:
        bodies = list(threads.map(lambda number: client.get("/orders.json", {"start": number}), range(16)))
    assert len(bodies) == client.requests == 16
    assert client.concurrency == 2
    assert server.most_in_flight == {"1500-1": 1, "1500-2": 1}


def test_an_api_user_is_free_again_after_a_failure(serve: Serve, connect: Connect) -> None:
    client = connect(serve(script_of(refusal(404), WHOLE)))
    with pytest.raises(NotFound):
        client.get("/orders.json")
    assert client.get("/orders.json").items == PAGE["items"]


def test_user_and_password_in_the_address_do_not_win(serve: Serve, connect: Connect) -> None:
    server = serve(script_of(WHOLE))
    client = connect(server.url.replace("http://", "http://somebody:secret@") + "/")
    client.get("/orders.json")
    assert server.seen[0].api_id == "1500-1"
    assert server.seen[0].path == "/orders.json"
    assert "secret" not in repr(client)


@pytest.mark.parametrize(
    "url", ["", "api.mysitoo.com/v2/accounts/1500", "ftp://host/v2", "http://host:port", "https://"]
)
def test_a_base_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="base_url must be"):
        SitooClient(base_url=url, users=(ApiUser(api_id="1500-1", password=PASSWORD),))


def test_api_users_are_given_once_each() -> None:
    user = ApiUser(api_id="1500-1", password=PASSWORD)
    for users in ((), (user, user)):
        with pytest.raises(ValueError, match="users"):
            SitooClient(base_url="http://127.0.0.1/v2/accounts/1500", users=users)


def test_json_beyond_the_documented_types_is_kept(serve: Serve, connect: Connect) -> None:
    odd = {"totalcount": "many", "items": [None, 1, {"name": "Åsa 🎈"}]}
    body = connect(serve(script_of(answer(odd)))).get("/orders.json")
    assert body.items == odd["items"]
    assert body.total is None
    assert json.loads(gzip.decompress(body.data)) == odd
