"""Accepted is not delivered: what Ometria finds wrong later is matched to records, and what it took is read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline.sandbox.ometria_rules import finding
from sitoo_pipeline.sinks import Ledger, Record, Report, State, deliver
from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.ometria import Ometria, Verify
from sitoo_pipeline.sinks.ometria_http import Patience
from sitoo_pipeline.sinks.ometria_search import MOST_REQUESTS
from sitoo_pipeline_tests.sinks.frames import DAY

NOT_VALID = finding("not a valid value", "lineitems", "product_id")
Hand = Callable[..., Report]


def order(number: int, **fields: Any) -> Record:
    usual = {"timestamp": "2024-05-02T10:30:00+02:00", "grand_total": 12.5, "currency": "SEK", "status": "complete"}
    return Record(f"order:{number}", DAY, {"@type": "order", "id": f"s-{number}", **usual, **fields})


def contact(name: str) -> Record:
    return Record(f"contact:{name}", DAY, {"@type": "contact", "id": name, "email": f"{name}@example.com"})


@pytest.fixture
def hand(sandbox: Sandbox, ledger: Ledger) -> Hand:
    """Hands records to the sandbox's Ometria."""

    def to_ometria(*records: Record, verify: Verify = "none", errors_wait: float = 5, run: str = "r") -> Report:
        with Ometria(
            base_url=sandbox.ometria_url,
            api_key=sandbox.ometria_key,
            requests_per_second=float("inf"),
            reads_per_second=float("inf"),
            errors_wait=errors_wait,
            errors_every=0.01,
            verify=verify,
            patience=Patience(attempts=6, timeout=5, longest_wait=0.1),
        ) as target:
            return deliver(target=target, records=records, ledger=ledger, account="acme", run_id=run)

    return to_ometria


def wrong(sandbox: Sandbox, *ids: str, found: dict[str, str] = NOT_VALID) -> None:
    """From now on Ometria finds these records wrong, when it looks at them."""
    sandbox.ometria.state.refuses = lambda record: found if record["id"] in ids else None


def states(ledger: Ledger, *records: Record) -> dict[str, State]:
    return {key: entry.state for key, entry in ledger.of("acme", "ometria", [r.key for r in records]).items()}


def reads(sandbox: Sandbox, kind: str = "orders") -> list[str]:
    return [path for method, path, _ in sandbox.requests if method == "GET" and f"/{kind}/" in path]


@pytest.mark.parametrize("shows_queue", [True, False])
def test_records_that_are_found_wrong_later_are_rejected_and_no_others(
    sandbox: Sandbox, ledger: Ledger, hand: Hand, shows_queue: bool
) -> None:
    sandbox.ometria.state.delay, sandbox.ometria.shows_queue = 0.02, shows_queue
    wrong(sandbox, "s-17", "s-103")
    records = [contact("a"), *(order(number) for number in range(120))]
    wait = 5 if shows_queue else 0.06
    report = hand(*records, errors_wait=wait)
    assert (report.delivered, report.rejected, report.failed) == (119, 2, False)
    assert {each.key: each.reason for each in report.refused} == {
        "order:17": "not a valid value (root > lineitems > product_id)",
        "order:103": "not a valid value (root > lineitems > product_id)",
    }
    assert {letter.key for letter in ledger.dead_letters("acme", "ometria")} == {"order:17", "order:103"}
    assert len(sandbox.ometria.orders) == 118

    pushed = len(sandbox.ometria.requests)
    assert hand(*records, errors_wait=wait).planned == 0
    assert len(sandbox.ometria.requests) == pushed


def test_a_rejected_record_goes_out_again_when_its_content_changes(sandbox: Sandbox, hand: Hand) -> None:
    wrong(sandbox, "s-1")
    assert hand(order(1), order(2)).rejected == 1
    wrong(sandbox)
    assert hand(order(1), order(2)).rejected == 1
    assert hand(order(1, status="shipped"), order(2)).delivered == 1
    assert sandbox.ometria.orders["s-1"]["status"] == "shipped"


def test_an_update_that_is_found_wrong_leaves_what_was_there(sandbox: Sandbox, ledger: Ledger, hand: Hand) -> None:
    assert hand(order(1)).delivered == 1
    report = hand(order(1, currency="kronor"))
    assert (report.rejected, sandbox.ometria.orders["s-1"]["currency"]) == (1, "SEK")
    assert hand(order(1)).planned == 0  # that is what Ometria holds
    assert states(ledger, order(1)) == {"order:1": State.DELIVERED}


def test_an_error_that_names_a_record_is_not_searched_for(sandbox: Sandbox, hand: Hand) -> None:
    wrong(sandbox, "s-7", found=finding("order s-7 has an unknown product", "lineitems"))
    report = hand(*(order(number) for number in range(100)))
    assert (report.delivered, [each.key for each in report.refused]) == (99, ["order:7"])
    assert [len(request) for request in sandbox.ometria.requests] == [100, 1]


def one_of_two(bad: set[str]) -> Callable[[dict[str, Any]], dict[str, str] | None]:
    """Finds these records wrong, for one of two reasons."""
    found = (NOT_VALID, finding("This value is required", "lineitems", "quantity"))
    return lambda record: found[sum(map(ord, record["id"])) % 2] if record["id"] in bad else None


def test_more_errors_than_the_list_is_long(sandbox: Sandbox, hand: Hand) -> None:
    for number in range(95):
        sandbox.ometria.state.refuse(finding("an old error", str(number)))
    sandbox.ometria.state.refuses = one_of_two({f"s-{number}" for number in range(0, 40, 2)})
    report = hand(*(order(number) for number in range(40)))
    assert {each.key for each in report.refused} == {f"order:{number}" for number in range(0, 40, 2)}
    assert report.delivered == 20
    assert len(sandbox.ometria.errors) == 100


def test_what_one_search_cannot_tell_apart_is_unknown_and_found_by_later_runs(
    sandbox: Sandbox, ledger: Ledger, hand: Hand
) -> None:
    sandbox.ometria.state.refuses = one_of_two({f"s-{number}" for number in range(150)})
    records = [order(number) for number in range(160)]
    first = hand(*records)
    assert first.failed
    assert 0 < first.rejected < 150
    assert len(sandbox.ometria.requests) == 2 + MOST_REQUESTS
    second = hand(*records)
    assert (second.rejected, second.unknown) == (150, 0)
    assert {key for key, state in states(ledger, *records).items() if state is State.DELIVERED} == {
        f"order:{number}" for number in range(150, 160)
    }


def test_a_list_that_fills_up_with_one_error_delivers_nothing_unseen(
    sandbox: Sandbox, ledger: Ledger, hand: Hand
) -> None:
    records = [order(number) for number in range(100)]
    bad = {f"order:{number}" for number in range(0, 100, 5)}
    wrong(sandbox, *(key.replace("order:", "s-") for key in bad))

    def in_state(state: State) -> set[str]:
        return {key for key, each in states(ledger, *records).items() if each is state}

    hand(*records)
    rejected = in_state(State.REJECTED)
    assert rejected
    assert rejected < bad
    assert in_state(State.UNKNOWN) > bad - rejected
    assert not in_state(State.DELIVERED) & bad
    hand(*records, verify="sample", errors_wait=0.02)
    assert in_state(State.UNKNOWN) == bad - rejected
    assert in_state(State.DELIVERED) == {record.key for record in records} - bad


def test_a_list_full_of_one_error_shows_nothing_and_reading_back_does(
    sandbox: Sandbox, ledger: Ledger, hand: Hand
) -> None:
    for _ in range(100):
        sandbox.ometria.state.refuse(NOT_VALID)
    wrong(sandbox, "s-2")
    records = [order(1), order(2), order(3)]
    report = hand(*records)
    assert (report.unknown, report.failed) == (3, True)
    assert "set verify" in "".join(report.messages)
    hand(*records, verify="sample", errors_wait=0.1)
    assert states(ledger, *records) == {
        "order:1": State.DELIVERED,
        "order:2": State.UNKNOWN,
        "order:3": State.DELIVERED,
    }


def test_errors_of_others_condemn_no_record_that_reads_back_as_it_was_pushed(sandbox: Sandbox, hand: Hand) -> None:
    def noise(record: dict[str, Any]) -> dict[str, str] | None:
        if record["id"] == "s-0":
            sandbox.ometria.state.refuse(finding("another system's error", "lastname"))
        return None

    sandbox.ometria.state.refuses = noise
    report = hand(*(order(number) for number in range(4)), verify="sample")
    assert (report.delivered, report.rejected) == (4, 0)


@pytest.mark.parametrize(("verify", "number"), [("none", 0), ("sample", 5), ("all", 40)])
def test_as_many_records_are_read_back_as_set(
    sandbox: Sandbox, ledger: Ledger, hand: Hand, verify: Verify, number: int
) -> None:
    sandbox.ometria.state.delay = 0.05
    records = [contact("å/a"), *(order(number) for number in range(39))]
    assert hand(*records, verify=verify).delivered == 40
    assert len(reads(sandbox)) + len(reads(sandbox, "contacts")) == number
    answers = [entry.answer for entry in ledger.of("acme", "ometria", [r.key for r in records]).values()]
    assert all(answer.startswith("accepted, request ") for answer in answers)
    assert sum(answer.endswith(", read back") for answer in answers) == number


def test_a_sample_that_is_not_there_has_all_the_others_read_back(
    sandbox: Sandbox, ledger: Ledger, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = sandbox.ometria.state.take

    def lose(records: list[dict[str, Any]]) -> None:
        taken([record for record in records if int(record["id"][2:]) % 7 != 3])

    monkeypatch.setattr(sandbox.ometria.state, "take", lose)
    records = [order(number) for number in range(25)]
    hand(*records, verify="sample", errors_wait=0.05)
    lost = {key for key, state in states(ledger, *records).items() if state is State.UNKNOWN}
    assert lost == {"order:3", "order:10", "order:17", "order:24"}


def test_another_record_in_its_place_is_seen(sandbox: Sandbox, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where two systems push orders of the same number."""
    sandbox.ometria.state.merges_always = True
    taken = sandbox.ometria.state.take

    def spoil(records: list[dict[str, Any]]) -> None:
        taken([{**record, "grand_total": 99, "status": "pending"} for record in records])

    monkeypatch.setattr(sandbox.ometria.state, "take", spoil)
    report = hand(order(1), verify="all", errors_wait=0.05)
    assert report.unknown == 1
    assert "not found when read back (other values there: grand_total, status)" in report.messages[0]


@pytest.mark.parametrize("number", [0, 1])
def test_errors_that_cannot_be_read_say_so(sandbox: Sandbox, ledger: Ledger, hand: Hand, number: int) -> None:
    asked = iter(range(1000))
    sandbox.faults = Faults(
        rate=1, kinds=("500",), match=lambda target: target.endswith("_errors") and next(asked) >= number
    )
    report = hand(order(1), order(2))
    if number == 0:
        assert (report.retry, sandbox.ometria.requests) == (2, [])  # what becomes of it could not be known
    else:
        assert report.unknown == 2
        assert "its errors cannot be read: Ometria failed (HTTP 500)" in report.messages[0]
    sandbox.faults = Faults()
    assert hand(order(1), order(2)).delivered == 2


def test_without_a_wait_what_is_accepted_counts_as_delivered(sandbox: Sandbox, hand: Hand) -> None:
    wrong(sandbox, "s-1")
    assert hand(order(1), errors_wait=0).delivered == 1
    assert [path for _, path, _ in sandbox.requests] == ["/ometria/v2/push"]


def test_ten_percent_of_faults_lose_nothing_and_write_nothing_twice(
    sandbox: Sandbox, ledger: Ledger, hand: Hand
) -> None:
    kinds = ("reset", "reset-before", "429-seconds", "500", "503", "cut", "html", "missing-items", "slow")
    sandbox.faults = Faults(rate=0.1, kinds=kinds, burst=2, seed=3, retry_after=0, pause_ms=5)
    sandbox.ometria.state.delay = 0.005
    wrong(sandbox, "s-55")
    records = [*(contact(f"c{number}") for number in range(30)), *(order(number) for number in range(300))]
    for run in range(10):
        report = hand(*records, verify="sample", run=f"run {run}")
        if not report.failed:
            break
    assert (report.failed, report.rejected) == (False, 1)
    held = {**sandbox.ometria.orders, **sandbox.ometria.contacts}
    assert held == {r.payload["id"]: orjson.loads(wire_json(r.payload)) for r in records if r.key != "order:55"}
    assert set(states(ledger, *records).values()) == {State.DELIVERED, State.REJECTED}
    sandbox.faults = Faults()
    pushed = len(sandbox.ometria.requests)
    assert hand(*records).planned == 0
    assert len(sandbox.ometria.requests) == pushed


def test_a_dry_run_compares_with_what_can_be_read_back(sandbox: Sandbox, ledger: Ledger, hand: Hand) -> None:
    hand(order(1))
    with Ometria(base_url=sandbox.ometria_url, api_key=sandbox.ometria_key, verify="all") as target:
        records = [order(1, status="shipped"), order(2)]
        report = deliver(target=target, records=records, ledger=ledger, account="acme", run_id="r", dry_run=True)
    assert [change.details for change in report.changes] == [("other values there: status",), ("not there",)]
