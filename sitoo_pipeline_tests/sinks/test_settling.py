"""A person says what became of a record in doubt: it is noted with who and why, and what follows from it is done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from sitoo_pipeline.sinks import Ledger, OnUnknown, Record, Settlement, State
from sitoo_pipeline.sinks.database import open_engine
from sitoo_pipeline.sinks.settling import STILL_ON_ITS_WAY, InDoubt, in_doubt, settle
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY
from sitoo_pipeline_tests.sinks.test_delivery import Shelf, hand, record, state_of


@pytest.fixture
def shelf(ledger: Ledger) -> Shelf:
    """A target that cannot be asked; nobody knows whether it has ``a`` and ``b``. It has ``c``."""
    shelf = Shelf(OnUnknown.HOLD)
    shelf.becomes = lambda r: State.DELIVERED if r.key == "c" else State.UNKNOWN
    hand(shelf, ledger, record("a"), record("b", day=NEXT_DAY), record("c"))
    shelf.becomes = lambda _: State.DELIVERED
    shelf.sent.clear()
    return shelf


def say(ledger: Ledger, verdict: State, *keys: str) -> InDoubt:
    said = Settlement(verdict, "ann", "asked the shop", keys)
    return settle(ledger, "acme", "shelf", [DAY, NEXT_DAY], said, run_id="run-2")


def keys_of(found: InDoubt) -> list[str]:
    return [entry.key for entry in found.settled]


def test_what_arrived_is_never_sent_again(shelf: Shelf, ledger: Ledger) -> None:
    before = datetime.now(UTC)
    assert keys_of(say(ledger, State.DELIVERED)) == ["a", "b"]
    entry = ledger.of("acme", "shelf", ["a"])["a"]
    assert (entry.state, entry.run_id, entry.attempts) == (State.DELIVERED, "run-2", 1)
    assert entry.answer == "settled as delivered by ann: asked the shop"
    assert entry.delivered_hash == entry.content_hash == record("a").content_hash
    assert before <= entry.updated_at <= datetime.now(UTC)
    assert entry.delivered_at == entry.updated_at
    report = hand(shelf, ledger, record("a"), record("b", day=NEXT_DAY), record("c"))
    assert (report.failed, report.unchanged, shelf.sent) == (False, 3, [])
    assert hand(shelf, ledger, record("a", "corrected")).delivered == 1


def test_what_did_not_arrive_is_sent_by_the_next_run_or_left(shelf: Shelf, ledger: Ledger) -> None:
    assert keys_of(say(ledger, State.RETRY, "a")) == ["a"]
    assert keys_of(say(ledger, State.REJECTED, "b")) == ["b"]
    [letter] = ledger.dead_letters("acme", "shelf")
    assert (letter.key, letter.reason, letter.payload) == ("b", "settled as rejected by ann: asked the shop", None)
    report = hand(shelf, ledger, record("a"), record("b", day=NEXT_DAY))
    assert (report.delivered, report.rejected, report.failed, shelf.sent) == (1, 1, False, ["a"])
    assert hand(shelf, ledger, record("b", day=NEXT_DAY), rejected=True).delivered == 1
    assert ledger.dead_letters("acme", "shelf") == []


def test_only_what_is_in_doubt_can_be_settled(shelf: Shelf, ledger: Ledger) -> None:
    assert keys_of(say(ledger, State.REJECTED, "c", "nothing")) == []
    assert state_of(ledger, "c") is State.DELIVERED
    elsewhere = Settlement(State.DELIVERED, "ann", "asked")
    assert settle(ledger, "acme", "shelf", [DAY + timedelta(days=5)], elsewhere, run_id="x").settled == ()
    assert settle(ledger, "other", "shelf", [DAY], elsewhere, run_id="x").settled == ()
    with pytest.raises(ValueError, match="held is no verdict"):
        say(ledger, State.HELD)
    assert state_of(ledger, "a") is State.UNKNOWN


def test_what_surely_did_not_arrive_can_be_rejected_by_its_key(shelf: Shelf, ledger: Ledger) -> None:
    shelf.becomes = lambda _: State.RETRY
    hand(shelf, ledger, record("d"))

    def say_once(verdict: State, *keys: str, once: bool = True) -> InDoubt:
        said = Settlement(verdict, "ann", "the order was cancelled", keys)
        return settle(ledger, "acme", "shelf", [DAY], said, run_id="run-2", is_at_most_once=once)

    assert keys_of(say_once(State.REJECTED, "d", once=False)) == keys_of(say_once(State.DELIVERED, "d")) == []
    unnamed = say_once(State.REJECTED)
    assert (keys_of(unnamed), state_of(ledger, "d")) == (["a"], State.RETRY)
    assert unnamed.messages == ("d: surely not taken: to have it rejected, name it by its key",)
    assert keys_of(say_once(State.REJECTED, "d")) == ["d"]
    assert [letter.key for letter in ledger.dead_letters("acme", "shelf")] == ["a", "d"]
    assert hand(shelf, ledger, record("d")).failed is False


def test_what_may_be_on_its_way_at_this_moment_is_left_alone(ledger: Ledger) -> None:
    ledger.claim("acme", "shelf", record("a"), attempts=None, run_id="run-1")
    found = say(ledger, State.RETRY)
    assert (found.settled, state_of(ledger, "a")) == ((), State.PENDING)
    [message] = found.messages
    assert message.startswith("a: begun at ")
    assert "settle it after" in message
    later = in_doubt(ledger, "acme", "shelf", [DAY], now=datetime.now(UTC) + STILL_ON_ITS_WAY)
    assert keys_of(later) == ["a"]


def test_a_run_that_was_quicker_has_the_last_word(shelf: Shelf, ledger: Ledger) -> None:
    [entry] = in_doubt(ledger, "acme", "shelf", [DAY], now=datetime.now(UTC)).settled
    hand(shelf, ledger, record("a"), force=True)
    assert ledger.settle("acme", "shelf", entry, State.RETRY, "too late", run_id="run-2") is False
    assert state_of(ledger, "a") is State.DELIVERED


@pytest.mark.parametrize("on_unknown", [OnUnknown.HOLD, OnUnknown.SEND_AGAIN])
@pytest.mark.parametrize("became", [State.DELIVERED, State.REJECTED])
def test_what_a_person_said_while_a_run_slept_stands(ledger: Ledger, on_unknown: OnUnknown, became: State) -> None:
    def slept(_: Record) -> State:
        entry = ledger.of("acme", "shelf", ["a"])["a"]
        assert ledger.settle("acme", "shelf", entry, State.RETRY, "it is not there", run_id="run-2")
        return became

    shelf = Shelf(on_unknown)
    shelf.becomes = slept
    report = hand(shelf, ledger, record("a"))
    entry = ledger.of("acme", "shelf", ["a"])["a"]
    assert (entry.state, entry.answer, entry.run_id) == (State.RETRY, "it is not there", "run-2")
    assert (report.unknown, report.failed, ledger.dead_letters("acme", "shelf")) == (1, True, [])
    [message] = report.messages
    assert f"{became} (answer {became}), but meanwhile the ledger says retry (it is not there): that stands" in message


@pytest.mark.parametrize("on_unknown", [OnUnknown.HOLD, OnUnknown.SEND_AGAIN])
def test_a_run_that_slept_leaves_alone_what_was_begun_again(ledger: Ledger, on_unknown: OnUnknown) -> None:
    """Settled as not there, and sent by another run that is rejected; then the first one wakes up."""
    shelf, other = Shelf(on_unknown), Shelf(on_unknown)
    other.becomes = lambda _: State.REJECTED

    def slept(_: Record) -> State:
        entry = ledger.of("acme", "shelf", ["a"])["a"]
        ledger.settle("acme", "shelf", entry, State.RETRY, "it is not there", run_id="run-1")
        assert hand(other, ledger, record("a")).rejected == 1
        return State.DELIVERED

    shelf.becomes = slept
    assert hand(shelf, ledger, record("a")).unknown == 1
    assert (state_of(ledger, "a"), len(ledger.dead_letters("acme", "shelf"))) == (State.REJECTED, 1)


def test_it_is_kept_in_postgresql_too(postgres_url: str) -> None:
    with Ledger(postgres_url) as ledger:
        shelf = Shelf(OnUnknown.HOLD)
        shelf.becomes = lambda _: State.UNKNOWN
        hand(shelf, ledger, record("a"))
        assert keys_of(say(ledger, State.REJECTED)) == ["a"]
        engine = open_engine(postgres_url)
        with engine.connect() as connection:
            query = "SELECT state, answer FROM deliveries JOIN dead_letters USING (account, target, key)"
            assert [tuple(row) for row in connection.execute(sa.text(query))] == [
                ("rejected", "settled as rejected by ann: asked the shop")
            ]
        engine.dispose()


def test_forced_in_vain_it_is_in_doubt_as_it_was(shelf: Shelf, ledger: Ledger) -> None:
    """``a`` is forced with other content and not taken, ``b`` not even tried: what may have arrived is the old one."""
    shelf.becomes, shelf.stop, shelf.batch_size = lambda _: State.RETRY, True, 1
    changed = record("a", "changed"), record("b", "changed", day=NEXT_DAY)
    forced = hand(shelf, ledger, *changed, force=True)
    assert (forced.unknown, shelf.sent) == (2, ["a"])
    assert "an earlier attempt may have arrived" in "; ".join(forced.messages)
    shelf.becomes, shelf.stop = lambda _: State.DELIVERED, False
    assert (hand(shelf, ledger, *changed).unknown, shelf.sent) == (2, ["a"])
    assert keys_of(say(ledger, State.DELIVERED)) == ["a", "b"]
    assert (hand(shelf, ledger, *changed).delivered, shelf.sent) == (2, ["a", "a", "b"])
