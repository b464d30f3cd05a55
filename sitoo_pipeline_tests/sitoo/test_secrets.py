"""Neither credentials nor personal data in any text that a failure leaves behind."""

from __future__ import annotations

import base64
import logging
import traceback

import pytest

from sitoo_pipeline.sitoo import ApiUser
from sitoo_pipeline.sitoo.errors import SitooError
from sitoo_pipeline_tests.sitoo.conftest import PASSWORD, Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Server, answer, refusal, script_of

TOKEN = base64.b64encode(f"1500-1:{PASSWORD}".encode()).decode()
EMAIL = "anna.andersson@example.com"
TALKATIVE = (
    f"User {EMAIL} (19800101-1234, +46 70 123 45 67) sent Basic {TOKEN} with {PASSWORD} to "
    f"https://anna:hemligt@proxy.example.com/ " + "and so on " * 100
)
FORBIDDEN = (PASSWORD, TOKEN, EMAIL, EMAIL.replace("@", "%40"), "andersson", "19800101", "123 45 67", "hemligt")


@pytest.mark.parametrize(
    "given",
    [
        refusal(401, TALKATIVE),
        refusal(400, TALKATIVE),
        refusal(429, TALKATIVE),
        Answer(f"<html>{TALKATIVE}".encode(), 502),
        Answer(TALKATIVE.encode()),
        Answer(f'{{"items": ["{TALKATIVE}'.encode()),
        answer({"errortext": TALKATIVE}),
        Answer(TALKATIVE.encode(), cut=20),
        Answer(b"", headers={"Content-Encoding": EMAIL}),
        pytest.param(Answer(b"", headers={f"{EMAIL} {PASSWORD}": "x"}), id="a head that is no HTTP"),
    ],
)
def test_an_answer_that_talks_too_much(
    serve: Serve, connect: Connect, given: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SitooError) as caught:
        connect(serve(script_of(given))).get("/orders.json", {"email": EMAIL, "num": 10})
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert [secret for secret in FORBIDDEN if secret in shown] == []
    assert "GET /orders.json?email=***&num=10" in shown
    assert len(str(caught.value)) < 700


def test_no_connection_through_an_address_with_a_password(connect: Connect) -> None:
    with Server(script_of(answer({}))) as gone:
        url = gone.url.replace("http://", f"http://1500-1:{PASSWORD}@")
    with pytest.raises(SitooError) as caught:
        connect(url).get("/orders.json", {"email": EMAIL})
    shown = "".join(traceback.format_exception(caught.value)) + repr(connect(url))
    assert [secret for secret in FORBIDDEN if secret in shown] == []


def test_an_api_user_keeps_its_password() -> None:
    user = ApiUser(api_id="1500-1", password=PASSWORD)
    assert repr(user) == "ApiUser(api_id='1500-1')"
    with pytest.raises(AttributeError):
        user.password = "other"  # type: ignore[misc]


def test_long_values_are_cut(serve: Serve, connect: Connect) -> None:
    with pytest.raises(SitooError) as caught:
        connect(serve(script_of(refusal(400)))).get("/orders.json", {"orderid": list(range(1000))})
    assert len(str(caught.value)) < 400
