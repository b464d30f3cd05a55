"""``deliver`` and targets that want to be left alone, hold something back, or tell how they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from sitoo_pipeline.sinks import Circuit, Ledger, NotReadError, OnUnknown, Outcome, Record, State
from sitoo_pipeline_tests.sinks.test_delivery import ReadableShelf, Shelf, hand, record, state_of


class Busy(Shelf):
    """Takes nothing until a time, and says so."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.until = datetime.now(UTC) + wait

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        self.sent += [record.key for record in batch]
        return [Outcome(r.key, State.RETRY, "too many", stop=True, retry_after=self.until) for r in batch]


def test_nothing_is_sent_before_the_time_that_the_target_named(ledger: Ledger) -> None:
    busy, shelf = Busy(timedelta(minutes=30)), Shelf()
    assert hand(busy, ledger, *(record(key) for key in "abc")).retry == 3
    said = f"the target wants nothing before {busy.until:%Y-%m-%d %H:%M} UTC"
    other_records = hand(shelf, ledger, record("d"), record("e"))
    assert (shelf.sent, other_records.retry, other_records.failed) == ([], 2, True)
    assert other_records.messages == (f"2 x retry: {said}",)
    planned = hand(shelf, ledger, record("d"), dry_run=True)
    assert planned.messages == (f"{said}; --force asks now",)
    assert hand(shelf, ledger, record("a"), force=True).delivered == 1
    assert {key: entry.attempts for key, entry in ledger.of("acme", "shelf", "abcd").items()} == {
        "a": 2, "b": 1, "c": 0, "d": 0,
    }  # fmt: skip


def test_when_the_time_has_come_it_is_sent(ledger: Ledger) -> None:
    busy, shelf = Busy(timedelta(seconds=-1)), Shelf()
    hand(busy, ledger, record("a"), record("b"), record("c"))
    assert hand(shelf, ledger, record("a"), record("b"), record("c")).delivered == 3


def test_a_wait_without_end_is_cut(ledger: Ledger) -> None:
    hand(Busy(timedelta(days=4000)), ledger, record("a"))
    until = ledger.retry_at("acme", "shelf", datetime.now(UTC))
    assert until
    assert until < datetime.now(UTC) + timedelta(days=1, seconds=1)


def test_others_are_not_waited_for(ledger: Ledger) -> None:
    hand(Busy(timedelta(hours=1)), ledger, record("a"))
    now = datetime.now(UTC)
    assert ledger.retry_at("acme", "other", now) is None
    assert ledger.retry_at("beta", "shelf", now) is None
    assert ledger.retry_at("acme", "shelf", now)


def test_what_was_uncertain_stays_uncertain_while_waiting(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.UNKNOWN
    hand(shelf, ledger, record("a"))
    hand(Busy(timedelta(hours=1)), ledger, record("b"))
    assert hand(shelf, ledger, record("a")).unknown == 1
    assert state_of(ledger, "a") is State.UNKNOWN


def test_what_is_held_fails_nothing_is_told_and_asked_for_again(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a", "old"))
    shelf.becomes = lambda r: State.HELD if r.key == "a" else State.DELIVERED
    report = hand(shelf, ledger, record("a", "new"), record("b"))
    assert (report.held, report.delivered, report.failed) == (1, 1, False)
    assert report.messages == ("a: held: answer held",)
    assert report.states == {"delivered": 1, "unchanged": 0, "rejected": 0, "unknown": 0, "retry": 0, "held": 1}
    shelf.becomes = lambda r: State.DELIVERED
    again = hand(shelf, ledger, record("a", "new"), dry_run=True)
    assert [change.reason for change in again.changes] == ["held before: answer held"]
    assert hand(shelf, ledger, record("a", "old")).unchanged == 1
    assert hand(shelf, ledger, record("a", "new")).delivered == 1


def test_a_target_that_holds_everything_is_not_given_up(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.HELD
    assert hand(shelf, ledger, *(record(f"k{number}") for number in range(10))).held == 10


class Comparing(ReadableShelf):
    def difference(self, record: Record) -> list[str]:
        return [f"{self.held.get(record.key)} -> {dict(record.payload)}"]


def test_a_dry_run_tells_how_a_target_differs_that_can_be_read(ledger: Ledger) -> None:
    shelf = Comparing()
    hand(shelf, ledger, record("a", 1), record("b", 1))
    report = hand(shelf, ledger, record("a", 2), record("b", 1), dry_run=True)
    assert [change.details for change in report.changes] == [("{'value': 1} -> {'value': 2}",)]
    assert hand(shelf, ledger, record("a", 2)).changes[0].details == ()


class Asked(ReadableShelf):
    """Counts how often it is asked what it holds, and how that differs."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.is_readable = self.stops = True

    def holds(self, record: Record) -> bool:
        self.asked.append(record.key)
        if not self.is_readable:
            raise NotReadError("nobody there", stop=self.stops)
        return super().holds(record)

    def difference(self, record: Record) -> list[str]:
        self.asked.append(record.key)
        if not self.is_readable:
            raise NotReadError("nobody there", stop=True)
        return ["it is not there"]


def test_a_target_that_does_not_work_is_left_alone_by_the_calls_that_follow(ledger: Ledger) -> None:
    shelf, circuit = Asked(), Circuit()
    hand(shelf, ledger, record("known"), circuit=circuit)
    shelf.becomes, shelf.stop = lambda _: State.RETRY, True
    first = hand(shelf, ledger, record("a"), circuit=circuit)
    assert (first.retry, circuit.reason) == (1, "answer retry")
    shelf.sent.clear()
    shelf.asked.clear()
    second = hand(shelf, ledger, record("b"), record("known"), circuit=circuit)
    assert (second.retry, second.unsure, second.failed) == (1, 1, True)
    assert second.messages == (
        "1 x retry: not tried: answer retry",
        "1 delivered before and left as they are, not compared: answer retry",
    )
    assert (shelf.sent, shelf.asked) == ([], [])
    assert state_of(ledger, "b") is State.RETRY
    assert state_of(ledger, "known") is State.DELIVERED  # nobody looked, so nobody knows better
    shelf.becomes, shelf.stop = lambda _: State.DELIVERED, False
    assert hand(shelf, ledger, record("b"), circuit=Circuit()).delivered == 1


def test_batches_in_vain_are_counted_over_the_calls(ledger: Ledger) -> None:
    shelf, circuit = Shelf(), Circuit()
    shelf.becomes = lambda _: State.UNKNOWN
    for key in "ab":
        hand(shelf, ledger, record(key), circuit=circuit)
    shelf.becomes = lambda _: State.DELIVERED
    hand(shelf, ledger, record("c"), circuit=circuit)
    shelf.becomes = lambda _: State.UNKNOWN
    for key in "defg":
        hand(shelf, ledger, record(key), circuit=circuit)
    assert shelf.sent == ["a", "b", "c", "d", "e", "f"]
    assert state_of(ledger, "g") is State.RETRY


def test_a_dry_run_says_what_could_not_be_compared_and_asks_once(ledger: Ledger) -> None:
    shelf, circuit = Asked(), Circuit()
    there = hand(shelf, ledger, record("a"), dry_run=True, circuit=circuit)
    assert (there.unread, there.changes[0].details) == ((), ("it is not there",))
    shelf.is_readable = False
    shelf.asked.clear()
    gone = hand(shelf, ledger, record("a"), record("b"), dry_run=True, circuit=circuit)
    assert gone.unread == ("nobody there",)
    assert [change.details for change in gone.changes] == [(), ()]  # said once, not of each
    assert shelf.asked == ["a"]  # whether it holds the first
    assert hand(shelf, ledger, record("c"), dry_run=True, circuit=circuit).unread == ("nobody there",)
    assert shelf.asked == ["a"]


@pytest.mark.parametrize("stops", [False, True])
def test_what_was_delivered_stays_so_where_the_target_cannot_be_read(ledger: Ledger, stops: bool) -> None:
    shelf, circuit = Asked(), Circuit()
    hand(shelf, ledger, record("a"), record("b"))
    before = ledger.of("acme", "shelf", "ab")
    shelf.sent.clear()
    shelf.asked.clear()
    shelf.is_readable, shelf.stops = False, stops
    report = hand(shelf, ledger, record("a"), record("b"), circuit=circuit)
    assert (report.unsure, report.retry, report.planned, report.failed) == (2, 0, 0, True)
    assert report.messages == ("2 delivered before and left as they are, not compared: nobody there",)
    assert (ledger.of("acme", "shelf", "ab"), shelf.sent) == (before, [])
    assert (shelf.asked, circuit.is_open) == ((["a"], True) if stops else (["a", "b"], False))


@pytest.mark.parametrize("kind", [Shelf, ReadableShelf, lambda: Shelf(OnUnknown.HOLD)])
def test_forced_in_vain_what_is_delivered_stays_so_and_is_to_be_forced_again(
    ledger: Ledger, kind: Callable[[], Shelf]
) -> None:
    shelf, unchanged = kind(), [record(key) for key in "abcd"]
    hand(shelf, ledger, *unchanged, record("e"))
    before = {key: entry.delivered_at for key, entry in ledger.of("acme", "shelf", "abcde").items()}
    shelf.becomes, shelf.stop = lambda _: State.RETRY, True
    report = hand(shelf, ledger, *unchanged, record("e", "changed"), force=True)
    assert (report.retry, report.failed, shelf.sent[5:]) == (5, True, ["a", "b"])
    not_repeated = "delivered before, and not repeated: no later run does that, so force it again"
    assert report.messages == (
        f"2 x retry: answer retry; {not_repeated}",
        f"2 x retry: not tried: the target was not working; {not_repeated}",
        "1 x retry: not tried: the target was not working",
    )
    now = ledger.of("acme", "shelf", "abcde")
    assert [now[key].state for key in "abcd"] == [State.DELIVERED] * 4
    assert {key: entry.delivered_at for key, entry in now.items()} == before
    if kind is not Shelf:
        return
    circuit = Circuit(reason="nobody there")
    assert hand(shelf, ledger, *unchanged, force=True, circuit=circuit).retry == 4
    assert [state_of(ledger, key) for key in "abcde"] == [State.DELIVERED] * 4 + [State.RETRY]


def test_what_is_new_is_sent_though_the_target_cannot_be_read(ledger: Ledger) -> None:
    shelf, circuit = Asked(), Circuit()
    hand(shelf, ledger, record("a"))
    shelf.is_readable = False
    report = hand(shelf, ledger, record("a"), record("b"), circuit=circuit)
    assert (report.unsure, report.delivered, circuit.is_open) == (1, 1, False)
