"""What a target refuses: kept with payload and reason until it is delivered, changed or forgotten."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from sitoo_pipeline.sinks import Ledger, Outcome, Record, State
from sitoo_pipeline.sinks.database import open_engine
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY
from sitoo_pipeline_tests.sinks.test_delivery import Shelf, hand, record, state_of

BAD = Record("bad", DAY, {"total": Decimal("12.50"), "email": "ann@example.com"})


def refuse(ledger: Ledger, *records: Record, reason: str = "no such shop") -> None:
    begun = ledger.begin("acme", "t", records, run_id="r")
    ledger.finish(
        "acme", "t", [(r, Outcome(r.key, State.REJECTED, reason)) for r in records], attempts=begun, run_id="r"
    )


def test_it_keeps_what_was_refused_why_and_since_when(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        refuse(ledger, BAD, Record("other", NEXT_DAY, {}))
        [first] = ledger.dead_letters("acme", "t", [DAY])
        refuse(ledger, BAD, reason="still no such shop")
        [again, other] = ledger.dead_letters("acme", "t")
    assert first.payload == '{"total":12.50,"email":"ann@example.com"}'
    assert (first.key, first.partition, first.reason, other.key) == ("bad", DAY, "no such shop", "other")
    assert (again.first_at, again.reason) == (first.first_at, "still no such shop")
    assert again.last_at > first.last_at
    assert "ann@" not in repr(first)


@pytest.mark.parametrize("became", [State.DELIVERED, State.RETRY, State.UNKNOWN, State.HELD])
def test_it_leaves_when_it_is_delivered_and_not_before(ledger: Ledger, became: State) -> None:
    refuse(ledger, BAD)
    begun = ledger.begin("acme", "t", [BAD], run_id="r")
    ledger.finish("acme", "t", [(BAD, Outcome("bad", became))], attempts=begun, run_id="r")
    assert bool(ledger.dead_letters("acme", "t")) is (became is not State.DELIVERED)


def test_it_leaves_when_its_content_changes_and_goes_out_again(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.REJECTED if r.payload["value"] == "bad" else State.RETRY
    hand(shelf, ledger, record("a", "bad"), record("b", "bad"))
    hand(shelf, ledger, record("a", "better"), record("b", "bad"))
    assert [letter.key for letter in ledger.dead_letters("acme", "shelf")] == ["b"]
    assert shelf.sent == ["a", "b", "a"]


def test_a_record_that_is_found_at_the_target_leaves_it(ledger: Ledger) -> None:
    shelf = Shelf()
    hand(shelf, ledger, record("a", "good"))
    shelf.becomes = lambda r: State.REJECTED
    hand(shelf, ledger, record("a", "bad"))
    assert [letter.key for letter in ledger.dead_letters("acme", "shelf")] == ["a"]
    hand(shelf, ledger, record("a", "good"))
    assert ledger.dead_letters("acme", "shelf") == []


def test_asked_for_it_goes_out_again_without_what_was_delivered(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.REJECTED if r.key == "a" else State.DELIVERED
    hand(shelf, ledger, record("a"), record("b"))
    planned = hand(shelf, ledger, record("a"), record("b"), dry_run=True, rejected=True)
    shelf.becomes = lambda r: State.DELIVERED
    report = hand(shelf, ledger, record("a"), record("b"), rejected=True)
    assert planned.changes == report.changes
    assert [(each.key, each.reason) for each in report.changes] == [("a", "rejected before: answer rejected")]
    assert (shelf.sent, state_of(ledger, "a")) == (["a", "b", "a"], State.DELIVERED)


def test_payloads_are_forgotten_and_reasons_stay(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        refuse(ledger, BAD)
        now = datetime.now(UTC)
        assert ledger.forget_payloads("acme", before=now - timedelta(hours=1)) == 0
        assert ledger.forget_payloads("beta", before=now) == 0
        assert ledger.forget_payloads("acme", before=now) == 1
        [letter] = ledger.dead_letters("acme", "t")
    assert (letter.payload, letter.reason) == (None, "no such shop")


def test_the_report_names_twenty_of_many_and_lists_them_all(ledger: Ledger) -> None:
    shelf = Shelf()
    shelf.becomes = lambda r: State.REJECTED
    records = [record(f"k{number:02}") for number in range(25)]
    first, again = hand(shelf, ledger, *records), hand(shelf, ledger, *records)
    assert [len(report.refused) for report in (first, again)] == [25, 25]
    assert first.messages[0] == "k00: rejected: answer rejected"
    assert again.messages[0] == "k00: rejected before: answer rejected"
    assert [report.messages[20:] for report in (first, again)] == [("and 5 more records like these",)] * 2


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deliveries.db"
    Ledger(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    Ledger(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


OF_AN_OLDER_VERSION = ("DROP TABLE dead_letters", "ALTER TABLE deliveries DROP COLUMN retry_at")


def test_a_ledger_of_an_older_version_is_brought_up_to_date(database_url: str, tmp_path: Path) -> None:
    with Ledger(database_url) as ledger:
        ledger.begin("acme", "t", [BAD], run_id="r")
    engine = open_engine(database_url)
    with engine.begin() as connection:
        for statement in OF_AN_OLDER_VERSION:
            connection.execute(sa.text(statement))
    engine.dispose()
    file = tmp_path / "database.db"
    if file.exists():
        file.chmod(0o644)
    with Ledger(database_url) as ledger:
        assert ledger.of("acme", "t", ["bad"])["bad"].state is State.PENDING
        refuse(ledger, BAD)
        assert json.loads(ledger.dead_letters("acme", "t")[0].payload or "")["total"] == 12.5
    assert not file.exists() or stat.S_IMODE(file.stat().st_mode) == 0o600


def test_looking_at_a_ledger_that_is_not_there_makes_none(database_url: str, tmp_path: Path) -> None:
    with Ledger.to_look_at(database_url) as ledger:
        assert ledger.of("acme", "t", ["bad"]) == {}
    assert not (tmp_path / "database.db").exists()
    engine = open_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
