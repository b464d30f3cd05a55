"""``deliver``: what is sent, what is not, and what the ledger says afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline.sinks import Ledger, OnUnknown, Outcome, Record, Report, State, Target, deliver
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY


class Shelf:
    """A target that keeps records in memory, two at a time, and fails where it is told."""

    name = "shelf"
    batch_size = 2

    def __init__(self, on_unknown: OnUnknown = OnUnknown.SEND_AGAIN) -> None:
        self.on_unknown = on_unknown
        self.held: dict[str, Any] = {}
        self.sent: list[str] = []
        self.becomes: Callable[[Record], State] = lambda record: State.DELIVERED
        self.stop = False

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        self.sent += [record.key for record in batch]
        return [self._take(record) for record in batch]

    def _take(self, record: Record) -> Outcome:
        state = self.becomes(record)
        if state in (State.DELIVERED, State.UNKNOWN):
            self.held[record.key] = record.payload
        return Outcome(record.key, state, f"answer {state}", counts={"put": 1}, stop=self.stop)


class ReadableShelf(Shelf):
    def __init__(self) -> None:
        super().__init__(OnUnknown.READ_BACK)

    def holds(self, record: Record) -> bool:
        return bool(self.held.get(record.key) == record.payload)


def record(key: str, value: object = 1, *, day: date = DAY, newest_wins: bool = False) -> Record:
    return Record(key, day, {"value": value}, newest_wins=newest_wins)


def hand(target: Target, ledger: Ledger, *records: Record, **how: Any) -> Report:
    return deliver(target=target, records=records, ledger=ledger, account="acme", run_id="run-1", **how)


def state_of(ledger: Ledger, key: str) -> State:
    return ledger.of("acme", "shelf", [key])[key].state


def test_a_second_run_sends_nothing(ledger: Ledger) -> None:
    shelf = Shelf()
    first = hand(shelf, ledger, record("a"), record("b"), record("c"))
    second = hand(shelf, ledger, record("a"), record("b"), record("c"))
    assert (first.planned, first.delivered, first.counts) == (3, 3, {"put": 3})
    assert (second.planned, second.unchanged, second.failed) == (0, 3, False)
    assert shelf.sent == ["a", "b", "c"]


def test_a_correction_sends_just_what_changed(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a", Decimal("1.10")), record("b", Decimal("1.10")))
    report = hand(shelf, ledger, record("a", Decimal("1.10")), record("b", Decimal("1.11")))
    assert [(change.key, change.reason) for change in report.changes] == [("b", "changed")]
    assert shelf.sent == ["a", "b", "b"]


def test_a_rejected_record_holds_up_no_other_and_waits_for_new_content(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.REJECTED if r.payload["value"] == "bad" else State.DELIVERED
    first = hand(shelf, ledger, record("a", "bad"), record("b"), record("c"))
    again = hand(shelf, ledger, record("a", "bad"), record("b"), record("c"))
    assert (first.delivered, first.rejected, first.failed) == (2, 1, False)
    assert (again.planned, again.rejected, again.unchanged) == (0, 1, 2)
    assert any("a: rejected" in message for message in again.messages)
    assert [entry.key for entry in ledger.rejected("acme", "shelf")] == ["a"]
    corrected = hand(shelf, ledger, record("a", "good"), record("b"), record("c"))
    assert (corrected.delivered, ledger.rejected("acme", "shelf")) == (1, [])


def test_what_is_delivered_stays_so_when_a_refused_correction_is_taken_back(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a", "good"))
    shelf.becomes = lambda r: State.REJECTED
    hand(shelf, ledger, record("a", "bad"))
    report = hand(shelf, ledger, record("a", "good"))
    assert (report.planned, report.unchanged, state_of(ledger, "a")) == (0, 1, State.DELIVERED)


def test_old_content_is_sent_again_after_a_correction_of_unknown_outcome(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a", "old"))
    shelf.becomes = lambda r: State.UNKNOWN
    hand(shelf, ledger, record("a", "new"))
    shelf.becomes = lambda r: State.RETRY
    assert hand(shelf, ledger, record("a", "old")).retry == 1
    shelf.becomes = lambda r: State.DELIVERED
    assert hand(shelf, ledger, record("a", "old")).delivered == 1
    assert shelf.held["a"] == {"value": "old"}


@pytest.mark.parametrize("became", [State.RETRY, State.UNKNOWN])
def test_retry_and_unknown_fail_the_report_and_go_out_again(ledger: Ledger, became: State) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: became
    report = hand(shelf, ledger, record("a"))
    assert report.failed
    assert state_of(ledger, "a") is became
    assert report.messages == (f"1 x {became}: answer {became}",)
    shelf.becomes = lambda r: State.DELIVERED
    assert hand(shelf, ledger, record("a")).delivered == 1
    assert ledger.of("acme", "shelf", ["a"])["a"].attempts == 2


def test_a_target_that_cannot_repeat_holds_what_is_unknown_until_forced(ledger: Ledger) -> None:
    shelf = Shelf(OnUnknown.HOLD)
    shelf.becomes = lambda r: State.UNKNOWN
    hand(shelf, ledger, record("a"))
    shelf.becomes = lambda r: State.DELIVERED
    held = hand(shelf, ledger, record("a"))
    assert (held.planned, held.unknown, held.failed, shelf.sent) == (0, 1, True, ["a"])
    assert hand(shelf, ledger, record("a"), force=True).delivered == 1


@pytest.mark.parametrize("force", [False, True])
def test_two_runs_at_once_send_what_cannot_be_taken_back_once(ledger: Ledger, force: bool) -> None:
    """The second run begins while the first one is sending, after both have planned the same."""
    shelf = Shelf(OnUnknown.HOLD)
    reports: list[Report] = []
    shelf.batch_size = 1

    def meanwhile(sent: Record) -> State:
        if sent.key == "a" and not reports:
            reports.append(hand(shelf, ledger, record("b"), record("c")))
        return State.DELIVERED

    shelf.becomes = meanwhile
    first = hand(shelf, ledger, record("a"), record("b"), record("c"), record("d"), force=force)
    assert shelf.sent == ["a", "b", "c", "d"]
    assert (first.delivered, first.unknown, first.failed) == (2, 2, True)
    assert "2 x unknown: another run is sending it" in "; ".join(first.messages)
    assert [report.delivered for report in reports] == [2]
    assert {key: state_of(ledger, key) for key in "abcd"} == dict.fromkeys("abcd", State.DELIVERED)
    assert hand(shelf, ledger, *map(record, "abcd")).unchanged == 4


def test_a_run_that_gives_up_leaves_alone_what_another_has_sent(ledger: Ledger) -> None:
    shelf, other = Shelf(OnUnknown.HOLD), Shelf(OnUnknown.HOLD)
    shelf.batch_size, shelf.stop = 1, True

    def meanwhile(sent: Record) -> State:
        assert hand(other, ledger, record("b")).delivered == 1
        return State.RETRY

    shelf.becomes = meanwhile
    assert hand(shelf, ledger, record("a"), record("b"), record("c")).retry == 3
    assert [state_of(ledger, key) for key in "abc"] == [State.RETRY, State.DELIVERED, State.RETRY]


def test_a_readable_target_decides_what_is_unknown(ledger: Ledger) -> None:
    shelf = ReadableShelf()
    shelf.becomes = lambda r: State.UNKNOWN
    hand(shelf, ledger, record("a"))
    report = hand(shelf, ledger, record("a"))
    assert (report.unchanged, shelf.sent, state_of(ledger, "a")) == (1, ["a"], State.DELIVERED)


def test_a_readable_target_that_lost_a_record_gets_it_again(ledger: Ledger) -> None:
    shelf = ReadableShelf()
    hand(shelf, ledger, record("a"), record("b"))
    del shelf.held["a"]
    report = hand(shelf, ledger, record("a"), record("b"))
    assert [(change.key, change.reason) for change in report.changes] == [("a", "missing or different at the target")]


def test_a_dry_run_tells_and_touches_nothing(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a"), record("b"))
    report = hand(shelf, ledger, record("a"), record("b", 2), record("c"), dry_run=True)
    assert [(change.key, change.reason) for change in report.changes] == [("b", "changed"), ("c", "new")]
    assert (shelf.sent, report.delivered, report.failed) == (["a", "b"], 0, False)
    assert ledger.of("acme", "shelf", ["c"]) == {}


def test_force_sends_everything_again(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a"))
    assert hand(shelf, ledger, record("a"), force=True).delivered == 1


def test_a_key_twice_is_refused_before_anything_is_sent(ledger: Ledger) -> None:
    shelf = Shelf()
    with pytest.raises(ValueError, match="same key: a"):
        hand(shelf, ledger, record("a"), record("b"), record("a", 2))
    assert shelf.sent == []


def test_going_over_an_earlier_period_does_not_bring_old_content_back(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a", "Ann Newer", day=NEXT_DAY, newest_wins=True))
    assert hand(shelf, ledger, record("a", "Ann Older", day=DAY, newest_wins=True)).unchanged == 1
    assert hand(shelf, ledger, record("a", "Ann Newer", day=NEXT_DAY, newest_wins=True)).unchanged == 1
    assert shelf.held["a"] == {"value": "Ann Newer"}


def test_a_target_that_stops_leaves_the_rest_for_the_next_run(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes, shelf.stop = (lambda r: State.RETRY), True
    report = hand(shelf, ledger, *(record(key) for key in "abcde"))
    assert (shelf.sent, report.retry) == (["a", "b"], 5)
    assert ledger.counts("acme", "shelf", [DAY]) == {DAY: {State.RETRY: 5}}
    assert ledger.of("acme", "shelf", ["e"])["e"].attempts == 0


def test_a_target_that_takes_nothing_is_given_up_and_uncertainty_is_not_forgotten(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.UNKNOWN
    keys = [f"k{number}" for number in range(10)]
    hand(shelf, ledger, record(keys[9]))
    report = hand(shelf, ledger, *map(record, keys))
    assert len(shelf.sent) == 1 + 6
    assert (report.unknown, report.retry) == (7, 3)
    assert state_of(ledger, keys[9]) is State.UNKNOWN


def test_a_record_that_the_target_forgets_is_unknown(ledger: Ledger) -> None:
    class Forgetful(Shelf):
        def send(self, batch: Sequence[Record]) -> list[Outcome]:
            return super().send(batch)[:1]

    report = hand(Forgetful(), ledger, record("a"), record("b"))
    assert (report.delivered, report.unknown) == (1, 1)


def test_a_payload_is_neither_shown_nor_kept(ledger: Ledger, tmp_path: Path) -> None:
    secret = record("a", "ann@example.com")
    report = hand(Shelf(), ledger, secret)
    assert "ann@" not in repr(secret) + repr(report)
    assert b"ann@" not in (tmp_path / "deliveries.db").read_bytes()


KILLED = """
import os, signal, sys
from sitoo_pipeline.sinks import Ledger, State, deliver
from sitoo_pipeline_tests.sinks.test_delivery import Shelf, hand, record

def die_at_c(r):
    if r.key == "c":
        os.kill(os.getpid(), signal.SIGKILL)
    return State.DELIVERED

shelf = Shelf()
shelf.becomes = die_at_c
with Ledger(sys.argv[1]) as ledger:
    hand(shelf, ledger, *(record(key) for key in "abcde"))
"""


def test_a_killed_process_leaves_a_truthful_ledger_and_the_next_run_finishes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/deliveries.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, url], check=False, env={**os.environ})
    assert killed.returncode == -signal.SIGKILL
    with Ledger(url) as ledger:
        entries = ledger.of("acme", "shelf", list("abcde"))
        assert {key: entry.state for key, entry in entries.items()} == {
            "a": State.DELIVERED,
            "b": State.DELIVERED,
            "c": State.PENDING,
            "d": State.PENDING,
        }
        shelf = Shelf()
        report = hand(shelf, ledger, *(record(key) for key in "abcde"))
        assert shelf.sent == ["c", "d", "e"]
        assert [change.reason for change in report.changes] == ["it may have arrived", "it may have arrived", "new"]
        assert ledger.counts("acme", "shelf", [DAY]) == {DAY: {State.DELIVERED: 5}}
