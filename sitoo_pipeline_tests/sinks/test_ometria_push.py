"""Handing records to Ometria over HTTP: limits, retries, and what every answer means for each record."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from sitoo_pipeline.sinks import Ledger, Record, Report, State, deliver
from sitoo_pipeline.sinks.ometria import Ometria
from sitoo_pipeline.sinks.ometria_http import Patience
from sitoo_pipeline_tests.sinks.frames import DAY
from sitoo_pipeline_tests.sinks.ometria_server import KEY, OmetriaServer, status


@pytest.fixture
def ometria(ometria_server: OmetriaServer) -> Iterator[Ometria]:
    with client(ometria_server.base_url) as opened:
        yield opened


def client(base_url: str, *, key: str = KEY, longest_wait: float = 60) -> Ometria:
    return Ometria(
        base_url=base_url,
        api_key=key,
        requests_per_second=float("inf"),
        reads_per_second=float("inf"),
        patience=Patience(timeout=5, longest_wait=longest_wait),
    )


def order(number: int, **fields: Any) -> Record:
    return Record(f"order:{number}", DAY, {"@type": "order", "id": str(number), **fields})


def contact(name: str) -> Record:
    return Record(f"contact:{name}", DAY, {"@type": "contact", "id": name, "email": f"{name}@example.com"})


def hand(ometria: Ometria, ledger: Ledger, *records: Record) -> Report:
    return deliver(target=ometria, records=records, ledger=ledger, account="acme", run_id="r")


def test_101_orders_go_in_two_requests_and_a_second_run_sends_none(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    orders = [order(number) for number in range(101)]
    assert hand(ometria, ledger, *orders).delivered == 101
    assert hand(ometria, ledger, *orders).unchanged == 101
    assert [len(request) for request in ometria_server.requests] == [100, 1]
    assert len(ometria_server.held) == 101


def test_a_request_holds_one_type_only(ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger) -> None:
    assert hand(ometria, ledger, contact("a"), contact("b"), order(1), order(2)).delivered == 4
    assert [[r["@type"] for r in request] for request in ometria_server.requests] == [["contact"] * 2, ["order"] * 2]


def test_a_record_that_is_too_large_is_rejected_and_the_others_go(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    report = hand(ometria, ledger, order(1), order(2, note="x" * 60_000), order(3))
    assert (report.delivered, report.rejected, report.failed) == (2, 1, False)
    assert "order:2: rejected: the record has 600" in report.messages[0]
    assert set(ometria_server.held) == {"1", "3"}


@pytest.mark.parametrize("bad", [{"7"}, {"0", "99"}, {"3", "4", "50"}])
def test_rejected_records_that_the_answer_does_not_name_are_found(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger, bad: set[str]
) -> None:
    ometria_server.rejects = lambda record: record["id"] in bad
    report = hand(ometria, ledger, *(order(number) for number in range(100)))
    assert (report.delivered, report.rejected) == (100 - len(bad), len(bad))
    assert {entry.key for entry in ledger.rejected("acme", "ometria")} == {f"order:{number}" for number in bad}
    assert len(ometria_server.held) == 100 - len(bad)


def test_a_batch_that_is_rejected_whole_is_not_searched(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    ometria_server.rejects = lambda record: True
    assert hand(ometria, ledger, order(1), order(2), order(3)).rejected == 3
    assert len(ometria_server.requests) == 1


def test_a_record_for_which_the_request_is_refused_is_found(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    def refuse(records: list[dict[str, Any]]) -> Any:
        if any(record["id"] == "2" for record in records):
            return status(400, {"message": "Payload invalid: nope"})(records)
        return ometria_server.take(records)

    ometria_server.answers.extend([refuse] * 10)
    report = hand(ometria, ledger, *(order(number) for number in range(4)))
    assert (report.delivered, report.rejected) == (3, 1)
    assert report.messages == ("order:2: rejected: HTTP 400: Payload invalid: nope",)


@pytest.mark.parametrize(
    "headers", [{}, {"Retry_After": "0"}, {"Retry_After": format_datetime(datetime.now(UTC))}, {"Retry_After": "soon"}]
)
def test_too_many_requests_are_tried_again(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger, headers: dict[str, str]
) -> None:
    ometria_server.answers.extend([status(429, **headers), status(503, **headers)])
    assert hand(ometria, ledger, order(1)).delivered == 1
    assert len(ometria_server.requests) == 3


def test_a_target_that_stays_busy_is_left_for_the_next_run(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    ometria_server.answers.extend([status(429)] * 4)
    report = hand(ometria, ledger, *(order(number) for number in range(150)))
    assert (report.retry, report.unknown, report.failed) == (150, 0, True)
    assert len(ometria_server.requests) == 4
    assert hand(ometria, ledger, *(order(number) for number in range(150))).delivered == 150


@pytest.mark.parametrize(
    "wait", ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)], ids=["seconds", "date"]
)
def test_a_wait_that_is_too_long_is_left_to_the_next_run(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger, wait: str
) -> None:
    ometria_server.answers.append(status(429, Retry_After=wait))
    assert hand(ometria, ledger, order(1)).retry == 1
    assert len(ometria_server.requests) == 1


def test_a_failure_after_the_write_is_unknown_and_sent_again(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger
) -> None:
    ometria_server.answers.extend([ometria_server.take_and_fail, status(429), status(429), status(429)])
    report = hand(ometria, ledger, order(1))
    assert (report.unknown, report.retry, report.failed) == (1, 0, True)
    assert ledger.of("acme", "ometria", ["order:1"])["order:1"].state is State.UNKNOWN
    assert hand(ometria, ledger, order(1)).delivered == 1
    assert set(ometria_server.held) == {"1"}


@pytest.mark.parametrize(
    "answer", [{}, {"status": "OK", "accepted": 7, "rejected": 0}, [], {"status": "OK", "rejected": "none"}]
)
def test_an_answer_that_makes_no_sense_says_nothing_about_what_arrived(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger, answer: object
) -> None:
    ometria_server.answers.extend([status(200, answer)] * 4)
    assert hand(ometria, ledger, order(1)).unknown == 1


def test_a_short_answer_of_success_is_enough(ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger) -> None:
    ometria_server.answers.append(status(202, {"status": "OK"}))
    assert hand(ometria, ledger, order(1)).delivered == 1


def test_a_wrong_key_names_the_setting_and_ends_it(ometria_server: OmetriaServer, ledger: Ledger) -> None:
    with client(ometria_server.base_url, key="wrong-secret") as ometria:
        report = hand(ometria, ledger, *(order(number) for number in range(250)))
        assert "wrong-secret" not in repr(ometria)
    assert (report.retry, report.failed) == (250, True)
    assert ometria_server.requests == []
    assert any("OMETRIA_API_KEY" in message for message in report.messages)
    assert "wrong-secret" not in "".join(report.messages)


def test_a_wrong_address_names_the_setting(ometria_server: OmetriaServer, ledger: Ledger) -> None:
    with client(ometria_server.base_url + "/elsewhere") as ometria:
        report = hand(ometria, ledger, order(1))
    assert report.retry == 1
    assert "OMETRIA_BASE_URL" in report.messages[0]


@pytest.mark.usefixtures("ometria_server")
def test_a_target_that_is_not_there_has_surely_taken_nothing(ledger: Ledger) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, never listening
        with client(f"http://127.0.0.1:{nobody.getsockname()[1]}/v2") as ometria:
            report = hand(ometria, ledger, *(order(number) for number in range(101)))
    assert (report.retry, report.unknown) == (101, 0)
    assert "OMETRIA_BASE_URL" in "".join(report.messages)


@pytest.mark.usefixtures("ometria_server")
def test_a_connection_that_breaks_off_leaves_it_unknown(ledger: Ledger) -> None:
    no_errors = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def hang_up() -> None:
            for _ in range(5):
                connection, _ = server.accept()
                if connection.recv(65536).startswith(b"GET"):
                    connection.sendall(no_errors)
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with client(f"http://127.0.0.1:{server.getsockname()[1]}/v2") as ometria:
            report = hand(ometria, ledger, order(1))
        thread.join()
    assert (report.unknown, report.failed) == (1, True)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of a client for which no time passes but in pauses."""
    waited: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: sum(waited), sleep=waited.append)
    for module in ("ometria", "ometria_http", "ometria_errors"):
        monkeypatch.setattr(f"sitoo_pipeline.sinks.{module}.time", clock)
    return waited


def test_no_more_than_eight_pushes_and_four_reads_a_second(
    ometria_server: OmetriaServer, ledger: Ledger, waits: list[float]
) -> None:
    with Ometria(base_url=ometria_server.base_url, api_key=KEY) as ometria:
        hand(ometria, ledger, *(order(number) for number in range(900)))  # nine pushes and two reads
        assert waits == [1.0]
        hand(ometria, ledger, order(900))
        assert waits == [1.0]
        hand(ometria, ledger, order(901))  # the fifth and sixth read, four of them since the pause
    assert waits == [1.0, 1.0]


def test_a_slower_pace_is_kept_too(ometria_server: OmetriaServer, ledger: Ledger, waits: list[float]) -> None:
    with Ometria(base_url=ometria_server.base_url, api_key=KEY, requests_per_second=2.5) as ometria:
        hand(ometria, ledger, *(order(number) for number in range(500)))
    assert waits == [2 / 2.5, 2 / 2.5]


def test_a_queue_without_room_is_given_time(ometria_server: OmetriaServer, ledger: Ledger, waits: list[float]) -> None:
    taken = {"status": "OK", "accepted": 100, "rejected": 0}
    ometria_server.answers.append(status(200, taken, X_QueueSize_Remaining="3"))
    with Ometria(base_url=ometria_server.base_url, api_key=KEY) as ometria:
        assert hand(ometria, ledger, *(order(number) for number in range(110))).delivered == 110
    assert waits == [10 / 8]


def test_a_queue_that_stays_full_is_left_to_the_next_run(
    ometria_server: OmetriaServer, ledger: Ledger, waits: list[float]
) -> None:
    full = {"X-QueueSize-Limit": "50000", "X-QueueSize-Remaining": "3"}

    def fill_up(records: list[dict[str, Any]]) -> Any:
        ometria_server.queue = full
        return status(200, {"status": "OK", "accepted": len(records), "rejected": 0}, **full)(records)

    ometria_server.answers.append(fill_up)
    with Ometria(base_url=ometria_server.base_url, api_key=KEY, patience=Patience(longest_wait=20)) as ometria:
        report = hand(ometria, ledger, *(order(number) for number in range(350)))
    assert (report.delivered, report.retry) == (100, 250)
    assert "room for 3 records" in "".join(report.messages)
    assert len(ometria_server.requests) == 1
    assert 25 <= sum(waits) < 27  # the longest wait, and then the time for which the errors are watched


def test_nothing_personal_is_logged_reported_or_kept(
    ometria: Ometria, ometria_server: OmetriaServer, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person = {"email": "ann@example.com", "firstname": "Ann", "lastname": "Zetterlund"}
    ometria_server.answers.append(status(500))
    ometria_server.answers.append(status(422, {"message": "bad e-mail ANN@example.com of Zetterlund"}))
    report = hand(ometria, ledger, order(1, customer=person))
    kept = "".join(entry.answer for entry in ledger.rejected("acme", "ometria"))
    shown = caplog.text + repr(report) + kept
    assert report.rejected == 1
    assert "personal data" in kept
    assert "ann@" not in shown.lower()
    assert "zetterlund" not in shown.lower()
