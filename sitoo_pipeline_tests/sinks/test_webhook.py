"""Webhooks: what a receiver gets, signed how, and what its answers mean."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina

from sitoo_pipeline.sinks import Ledger, Report, State, deliver
from sitoo_pipeline.sinks.webhook import Webhook
from sitoo_pipeline.sinks.webhook_signature import key_of, signed_headers
from sitoo_pipeline.tables.marts import DAILY_SALES, HOURLY_SALES
from sitoo_pipeline.tables.schema import Table
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY
from sitoo_pipeline_tests.sinks.webhook_receiver import SECRET, Answer, Receiver, WrongSignatureError, verify

NAME = "webhook_planning"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Retries do not wait."""
    with Receiver() as started, stamina.set_testing(True, attempts=3, cap=True):
        yield started


def hourly(*sold: tuple[str, int, str], day: date = DAY) -> pl.DataFrame:
    """Rows of ``marts.hourly_sales``: store, hour in UTC, and gross sales."""
    return _frame(
        HOURLY_SALES,
        [
            {
                "store_id": store,
                "hour_start": datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
                "local_hour": hour + 2,
                "gross_sales": Decimal(gross),
                "business_date": day,
            }
            for store, hour, gross in sold
        ],
    )


def daily(*sold: tuple[str, str]) -> pl.DataFrame:
    rows = [{"store_id": store, "gross_sales": Decimal(gross), "business_date": DAY} for store, gross in sold]
    return _frame(DAILY_SALES, rows)


def _frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    usual = {"account": "acme", "store_name": "Söder", "channel": "pos", "currency": "SEK", "transactions": 1}
    empty = dict.fromkeys(table.names)
    return pl.DataFrame([{**empty, **usual, **row} for row in rows], schema=table.polars_schema)


class Sender:
    """Hands over figures to a receiver."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        self.url, self.ledger = url, ledger
        self.options: dict[str, Any] = {}

    def __call__(self, *frames: pl.DataFrame, dates: tuple[date, ...] = (DAY,), **how: Any) -> Report:
        tables = {(HOURLY_SALES if "local_hour" in frame.columns else DAILY_SALES): frame for frame in frames}
        told = {"url": self.url, "secret": SECRET, "timeout": 5.0, **self.options}
        with Webhook(NAME, **told) as target:
            prepared = target.prepare(
                tables,
                account="acme",
                dates=dates,
                known=self.ledger.keys("acme", NAME, dates),
                handed_over=lambda keys: self.ledger.of("acme", NAME, keys),
            )
            how = {"records": prepared.records, "account": "acme", "run_id": "r", **how}
            return deliver(target=target, ledger=self.ledger, **how)

    def states(self) -> dict[str, State]:
        keys = self.ledger.keys("acme", NAME, [DAY, NEXT_DAY])
        return {key: entry.state for key, entry in sorted(self.ledger.of("acme", NAME, keys).items())}


@pytest.fixture
def hand(receiver: Receiver, ledger: Ledger) -> Sender:
    return Sender(receiver.url, ledger)


def test_the_vector_of_the_specification() -> None:
    body = b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert signed_headers(key, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at, body=body) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_what_is_signed_cannot_be_changed() -> None:
    at = datetime(2024, 5, 2, 12, tzinfo=UTC)
    headers = signed_headers(key_of(SECRET), message_id="msg_1", at=at, body=b"{}")
    assert verify(SECRET, headers, b"{}", now=at.timestamp() + 299) == "msg_1"
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    for secret, changed, body, late in (
        (SECRET, {}, b"{ }", 0),
        (SECRET, {"webhook-id": "msg_2"}, b"{}", 0),
        (SECRET, {"webhook-timestamp": str(int(at.timestamp()) + 1)}, b"{}", 0),
        (SECRET, {}, b"{}", 301),
        (other, {}, b"{}", 0),
    ):
        with pytest.raises(WrongSignatureError):
            verify(secret, {**headers, **changed}, body, now=at.timestamp() + late)


@pytest.mark.parametrize("secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_???"])
def test_a_secret_of_another_form(secret: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Webhook(NAME, url="https://example.com", secret=secret)


def test_a_message_per_table_and_date_with_the_columns_of_the_table(hand: Sender, receiver: Receiver) -> None:
    report = hand(hourly(("77", 9, "5.00"), ("1122", 8, "1543.20"), ("1122", 7, "2.00")), daily(("1122", "1545.20")))
    of_day, of_hours = receiver.messages
    assert (of_day["type"], of_hours["type"]) == ("daily_sales", "hourly_sales")
    assert [each["store_id"] for each in of_hours["data"]["stores"]] == ["1122", "77"]
    assert {name: of_hours["data"][name] for name in ("account", "business_date")} == {
        "account": "acme",
        "business_date": "2024-05-02",
    }
    first, second = of_hours["data"]["stores"][0]["rows"]
    assert list(second) == sorted(HOURLY_SALES.names)
    assert (first["hour_start"], second["hour_start"]) == ("2024-05-02T07:00:00+00:00", "2024-05-02T08:00:00+00:00")
    assert (second["gross_sales"], second["transactions"], second["visitors"]) == ("1543.20", 1, None)
    assert (report.delivered, report.failed) == (3, False)


def test_a_second_run_sends_nothing_and_a_correction_just_its_store(hand: Sender, receiver: Receiver) -> None:
    hand(hourly(("77", 9, "5.00"), ("1122", 8, "6.00")))
    assert hand(hourly(("1122", 8, "6.00"), ("77", 9, "5.00"))).unchanged == 2
    report = hand(hourly(("77", 9, "5.10"), ("1122", 8, "6.00")))
    assert [change.key for change in report.changes] == ["hourly_sales/2024-05-02/77"]
    assert len(receiver.messages) == 2
    assert receiver.rows["hourly_sales", "2024-05-02", "77"][0]["gross_sales"] == "5.10"


def test_figures_that_come_back_are_no_repeat(hand: Sender, receiver: Receiver) -> None:
    for gross in ("5.00", "6.00", "5.00", "6.00"):
        hand(hourly(("77", 9, gross)))
        assert receiver.rows["hourly_sales", "2024-05-02", "77"][0]["gross_sales"] == gross
    assert len(set(receiver.ids)) == 4


def test_sales_that_are_gone_are_told(hand: Sender, receiver: Receiver) -> None:
    hand(hourly(("77", 9, "5.00"), ("1122", 8, "6.00")), daily(("77", "5.00")))
    report = hand(hourly(("1122", 8, "6.00")))  # daily sales are not sent any more, and left alone
    assert [change.key for change in report.changes] == ["hourly_sales/2024-05-02/77"]
    assert receiver.rows["hourly_sales", "2024-05-02", "77"] == []
    assert hand(hourly(("1122", 8, "6.00"))).planned == 0


def test_other_dates_and_accounts_stay_out(hand: Sender, receiver: Receiver) -> None:
    other = hourly(("88", 9, "1.00")).with_columns(account=pl.lit("beta"))
    hand(pl.concat([hourly(("77", 9, "5.00")), hourly(("77", 9, "7.00"), day=NEXT_DAY), other]))
    assert list(receiver.rows) == [("hourly_sales", "2024-05-02", "77")]


def test_stores_that_do_not_fit_go_into_further_messages(hand: Sender, receiver: Receiver) -> None:
    hand.options = {"max_bytes": 1500}
    stores = [(f"{number:04}", 9, "5.00") for number in range(7)]
    assert hand(hourly(*stores, ("big", 1, "1.00"), *[("big", hour, "1.00") for hour in range(2, 12)])).rejected == 1
    told = [[store["store_id"] for store in message["data"]["stores"]] for message in receiver.messages]
    assert [store for message in told for store in message] == [store for store, _, _ in stores]
    assert max(map(len, told)) == 3
    assert hand.states()["hourly_sales/2024-05-02/big"] is State.REJECTED


@pytest.mark.parametrize("is_taken", [False, True])
def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_id(
    hand: Sender, receiver: Receiver, is_taken: bool
) -> None:
    receiver.answers.append(Answer(0, takes=is_taken, is_lost=True))
    assert hand(hourly(("77", 9, "5.00"))).delivered == 1
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    assert receiver.rows["hourly_sales", "2024-05-02", "77"][0]["gross_sales"] == "5.00"


def test_a_receiver_that_breaks_off_every_time_gets_it_with_the_next_run(hand: Sender, receiver: Receiver) -> None:
    receiver.answers += [Answer(0, takes=True, is_lost=True)] * 3
    report = hand(hourly(("77", 9, "5.00")))
    assert (report.unknown, report.failed) == (1, True)
    assert report.messages[0].startswith("1 x unknown: no answer from 127.0.0.1:")
    assert "a-secret-path" not in report.messages[0]
    assert hand(hourly(("77", 9, "5.00"))).delivered == 1
    assert len(set(receiver.ids)) == 1
    assert len(receiver.ids) == 4


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_receiver_that_fails_is_asked_again(hand: Sender, receiver: Receiver, status: int) -> None:
    receiver.answers += [Answer(status)] * 2
    assert hand(hourly(("77", 9, "5.00"))).delivered == 1
    receiver.answers += [Answer(status)] * 3
    assert hand(hourly(("77", 9, "6.00"))).unknown == 1
    assert hand.states() == {"hourly_sales/2024-05-02/77": State.UNKNOWN}


@pytest.mark.parametrize("is_date", [False, True])
def test_a_receiver_that_asks_for_time_is_left_alone(hand: Sender, receiver: Receiver, is_date: bool) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    wait = format_datetime(until, usegmt=True) if is_date else "3600"
    receiver.answers.append(Answer(429, headers={"Retry-After": wait}))
    frames = hourly(("77", 9, "5.00")), daily(("77", "5.00"))
    assert hand(*frames).retry == 2
    assert len(receiver.messages) == 1
    assert hand(*frames).retry == 2
    assert len(receiver.messages) == 1
    at = hand.ledger.retry_at("acme", NAME, datetime.now(UTC))
    assert at is not None
    assert abs(at - until) < timedelta(seconds=10)
    assert hand(*frames, force=True).delivered == 2


def test_a_refusal_is_the_fault_of_one_store(hand: Sender, receiver: Receiver) -> None:
    receiver.refuses = lambda message: any(store["store_id"] == "0003" for store in message["data"]["stores"])
    stores = hourly(*((f"{number:04}", 9, "5.00") for number in range(6)))
    report = hand(stores)
    assert (report.delivered, report.rejected, report.failed) == (5, 1, False)
    assert report.messages == ("hourly_sales/2024-05-02/0003: rejected: HTTP 400: no such store",)
    number = len(receiver.messages)
    assert hand(stores).rejected == 1
    assert len(receiver.messages) == number


def test_a_receiver_that_wants_no_more_gets_no_more(hand: Sender, receiver: Receiver) -> None:
    receiver.answers.append(Answer(410))
    report = hand(hourly(("77", 9, "5.00"), ("78", 9, "5.00")), daily(("77", "5.00")))
    assert (report.rejected, report.retry, len(receiver.messages)) == (1, 2, 1)
    assert "wants no more messages (HTTP 410): take the webhook out of the settings" in report.messages[0]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405])
def test_a_wrong_address_or_secret_rejects_nothing(hand: Sender, receiver: Receiver, status: int) -> None:
    receiver.answers.append(Answer(status, headers={"Location": "/elsewhere"}))
    report = hand(hourly(("77", 9, "5.00")), daily(("77", "5.00")))
    assert (report.retry, len(receiver.messages)) == (2, 1)
    assert f"answers HTTP {status}: check the webhook's url and secret" in report.messages[0]
    hand.options = {"secret": "whsec_" + base64.b64encode(bytes(32)).decode()}
    assert "HTTP 401" in hand(hourly(("77", 9, "5.00"))).messages[0]
    hand.options = {}
    assert hand(hourly(("77", 9, "5.00")), daily(("77", "5.00"))).delivered == 2


def test_a_receiver_that_is_not_there(ledger: Ledger, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a-secret-path"
    with stamina.set_testing(True, attempts=2, cap=True):
        report = Sender(url, ledger)(hourly(("77", 9, "5.00")), daily(("77", "5.00")))
    assert report.retry == 2
    assert "cannot be reached (ConnectError): check the webhook's url" in report.messages[0]
    assert "a-secret-path" not in report.messages[0]
