"""Digital receipts over HTTP: at most once, whatever happens to the connection or the process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline.sinks import Ledger, Record, Report, State, deliver
from sitoo_pipeline.sinks.ometria_http import Patience
from sitoo_pipeline.sinks.ometria_receipt import OmetriaReceipt
from sitoo_pipeline.sinks.ometria_receipt_records import Sender, receipt_key, receipt_records
from sitoo_pipeline_tests.sinks.frames import DAY, lines, orders, returned

SOLD_AT = datetime(2024, 5, 2, 8, 30, tzinfo=UTC)
SENDER = Sender(
    name="Lindo", email="shop@example.com", subject="Your receipt", stream="receipts", template_id=3, is_sandbox=False
)
ANN = {"order_id": 1, "email": " Ann@Example.com", "name_first": "Ann", "name_last": "Berg", "receipt_id": "R-1"}
Hand = Callable[..., Report]


def receipts(
    frame: pl.DataFrame, ledger: Ledger, *, line_rows: pl.DataFrame | None = None, age: timedelta = timedelta(hours=20)
) -> tuple[Record, ...]:
    sold = lines(*({"order_id": number} for number in frame["order_id"])) if line_rows is None else line_rows
    entries = ledger.of("acme", "ometria_receipt", [receipt_key(number) for number in frame["order_id"]])
    since = SOLD_AT + age - timedelta(days=1)
    return receipt_records(orders=frame, lines=sold, entries=entries, since=since, sender=SENDER).records


@pytest.fixture
def target(sandbox: Sandbox) -> Iterator[OmetriaReceipt]:
    with OmetriaReceipt(
        base_url=sandbox.ometria_url,
        api_key=sandbox.ometria_key,
        requests_per_second=float("inf"),
        patience=Patience(attempts=6, timeout=5, longest_wait=0.1),
    ) as opened:
        yield opened


@pytest.fixture
def hand(target: OmetriaReceipt, ledger: Ledger) -> Hand:
    def to_ometria(frame: pl.DataFrame, *, force: bool = False, **more: Any) -> Report:
        records = receipts(frame, ledger, **more)
        return deliver(target=target, records=records, ledger=ledger, account="acme", run_id="r", force=force)

    return to_ometria


def customers(number: int) -> pl.DataFrame:
    return orders(*({"order_id": each, "email": f"c{each}@example.com"} for each in range(number)))


def sent(sandbox: Sandbox) -> Counter[int]:
    """How many e-mails each order had."""
    return Counter(int(mail["data"]["order_id"]) for mail in sandbox.ometria.outbox.sent)


def in_doubt(ledger: Ledger, number: int) -> set[int]:
    entries = ledger.of("acme", "ometria_receipt", [receipt_key(each) for each in range(number)])
    return {int(key.split(":")[1]) for key, entry in entries.items() if entry.state.is_uncertain}


def test_a_receipt_says_what_was_bought(sandbox: Sandbox, hand: Hand) -> None:
    came_back = {"order_id": 1, "line_no": 1, "product_line_no": 1, **returned(sku="HAT", product_name="Hat")}
    rows = lines({"order_id": 1, "product_name": "Shoe", "discount_gross": Decimal("12.50")}, came_back)
    frame = orders({**ANN, "store_name": "Centrum", "money_total_gross_roundoff": Decimal("0.40")})
    assert hand(frame, line_rows=rows).delivered == 1
    [mail] = sandbox.ometria.outbox.sent
    assert mail == {
        "transactional": True,
        "sandbox": False,
        "stream": "receipts",
        "template_id": 3,
        "subject": "Your receipt",
        "from": {"email": "shop@example.com", "name": "Lindo"},
        "to": {"email": "ann@example.com", "name": "Ann Berg"},
        "data": {
            "order_id": "1",
            "receipt_id": "R-1",
            "store_id": "1122",
            "store_name": "Centrum",
            "time": "2024-05-02T10:30:00+02:00",
            "currency": "SEK",
            "lines": [
                {"name": "Shoe", "sku": "SHOE-1", "quantity": 1, "total": "125.00"},
                {"name": "Hat", "sku": "HAT", "quantity": -1, "total": "-125.00"},
            ],
            "net": "100.00",
            "vat": "25.00",
            "discount": "12.50",
            "roundoff": "0.40",
            "total": "125.00",
        },
    }


@pytest.mark.parametrize(
    "change",
    [
        {"email": None},
        {"email": "none"},
        {"counts": False},
        {"channel": "online"},
        {"ordered_at": datetime(2024, 5, 1, tzinfo=UTC)},
    ],
)
def test_no_receipt_without_address_for_what_does_not_count_was_sold_online_or_is_old(
    change: dict[str, Any], ledger: Ledger
) -> None:
    assert receipts(orders({**ANN, **change}), ledger) == ()
    assert len(receipts(orders(ANN), ledger)) == 1
    assert receipts(orders(ANN), ledger, age=timedelta(hours=24, seconds=1)) == ()


def test_one_receipt_per_order_for_ever(sandbox: Sandbox, hand: Hand) -> None:
    assert hand(orders(ANN)).delivered == 1
    for frame in (orders(ANN), orders({**ANN, "email": "new@example.com"})):
        assert (hand(frame).planned, hand(frame, force=True).planned) == (0, 0)
    assert len(sandbox.ometria.outbox.sent) == 1


def test_a_refused_receipt_is_rejected_without_naming_anybody(sandbox: Sandbox, hand: Hand, ledger: Ledger) -> None:
    sandbox.ometria.outbox.templates = {4}
    report = hand(orders(ANN))
    assert (report.rejected, report.failed) == (1, False)
    assert report.refused[0].reason == "HTTP 400: template_id: no such template"
    assert "ann" not in repr(report).lower()
    sandbox.ometria.outbox.templates = {3, 4}
    assert hand(orders(ANN)).planned == 0  # nothing about it changed
    assert hand(orders(ANN), force=True).delivered == 1


@pytest.mark.parametrize(("kind", "was_sent"), [("reset", 1), ("cut", 1), ("html", 1), ("500", 0), ("503", 0)])
def test_an_outcome_that_is_not_known_is_listed_and_not_sent_again(
    sandbox: Sandbox, hand: Hand, ledger: Ledger, kind: str, was_sent: int
) -> None:
    sandbox.faults = Faults(rate=1, kinds=(kind,), times=1)
    assert (hand(orders(ANN)).unknown, len(sandbox.requests)) == (1, 1)
    later = hand(orders(ANN), age=timedelta(days=40))
    assert (later.unknown, later.failed, later.planned) == (1, True, 0)
    assert later.messages == (
        "receipt:1: it may have arrived: not sent again until a person says what became of it, with deliver --settle",
    )
    assert len(sandbox.ometria.outbox.sent) == was_sent
    assert hand(orders(ANN), force=True).delivered == 1


def test_what_surely_was_not_taken_is_tried_again(sandbox: Sandbox, hand: Hand) -> None:
    sandbox.faults = Faults(rate=1, kinds=("429-seconds",), times=2, retry_after=0)
    assert hand(orders(ANN)).delivered == 1
    assert len(sandbox.requests) == 3


def test_a_key_without_the_right_ends_it(sandbox: Sandbox, ledger: Ledger) -> None:
    with OmetriaReceipt(base_url=sandbox.ometria_url, api_key="wrong") as target:
        records = receipts(customers(5), ledger)
        report = deliver(target=target, records=records, ledger=ledger, account="acme", run_id="r")
    assert (report.retry, len(sandbox.requests)) == (5, 1)
    assert "transactional-email/send (HTTP 403): check OMETRIA_API_KEY" in report.messages[0]


def test_under_faults_no_receipt_is_sent_twice_and_none_is_lost_unlisted(
    sandbox: Sandbox, hand: Hand, ledger: Ledger
) -> None:
    kinds = ("reset", "reset-before", "cut", "html", "500", "429-seconds", "slow")
    sandbox.faults = Faults(rate=0.2, kinds=kinds, seed=5, retry_after=0, pause_ms=5)
    for _ in range(5):
        hand(customers(80))
    doubtful, had = in_doubt(ledger, 80), sent(sandbox)
    assert doubtful
    assert max(had.values()) == 1
    assert sandbox.ometria.outbox.duplicates == 0
    assert set(range(80)) - set(had) <= doubtful
    final = hand(customers(80))
    assert final.unknown == len(doubtful)
    assert {line.split(":")[1] for line in final.messages if line.startswith("receipt:")} <= {*map(str, doubtful)}


SEND = """
import sys
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline_tests.sinks.test_ometria_receipts import OmetriaReceipt, customers, deliver, receipts
url, key, database = sys.argv[1:]
with Ledger(database) as ledger, OmetriaReceipt(base_url=url, api_key=key, requests_per_second=1000) as target:
    deliver(target=target, records=receipts(customers(12), ledger), ledger=ledger, account="acme", run_id="r")
"""


def test_a_process_that_is_killed_leaves_one_receipt_in_doubt_and_sends_none_twice(
    sandbox: Sandbox, hand: Hand, ledger: Ledger, tmp_path: Path
) -> None:
    sandbox.faults = Faults(latency_ms=40)
    arguments = [sandbox.ometria_url, sandbox.ometria_key, f"sqlite:///{tmp_path}/deliveries.db"]
    process = subprocess.Popen([sys.executable, "-c", SEND, *arguments])
    try:
        deadline = time.monotonic() + 60
        while len(sandbox.requests) < 5 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
    finally:
        process.kill()
    assert process.wait(60) == -signal.SIGKILL
    [doubtful] = in_doubt(ledger, 12)
    assert ledger.of("acme", "ometria_receipt", [receipt_key(doubtful)])[receipt_key(doubtful)].state is State.PENDING

    sandbox.faults = Faults()
    report = hand(customers(12))
    assert (report.unknown, report.messages[0].split(":")[1]) == (1, str(doubtful))
    had = sent(sandbox)
    assert max(had.values()) == 1
    assert set(range(12)) - set(had) <= {doubtful}
    assert DAY in ledger.counts("acme", "ometria_receipt", [DAY])
