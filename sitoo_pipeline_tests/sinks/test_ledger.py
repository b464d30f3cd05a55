"""The ledger on each database that it may live in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sitoo_pipeline.sinks import Ledger, Outcome, Record, State
from sitoo_pipeline.sinks.database import DatabaseUrlError, open_engine
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY

ONE, TWO = Record("one", DAY, {"v": 1}), Record("two", NEXT_DAY, {"v": 2})


def test_it_remembers_what_became_of_a_record(database_url: str) -> None:
    start = datetime.now(UTC)
    with Ledger(database_url) as ledger:
        begun = ledger.begin("acme", "t", [ONE, TWO], run_id="r1")
        pending = ledger.of("acme", "t", ["one"])["one"]
        ledger.finish("acme", "t", [(ONE, Outcome("one", State.DELIVERED, "ok"))], attempts=begun, run_id="r1")
        ledger.begin("acme", "t", [ONE], run_id="r2")
    with Ledger(database_url) as ledger:
        entry = ledger.of("acme", "t", ["one"])["one"]
    assert (pending.state, pending.attempts, pending.delivered_hash) == (State.PENDING, 1, None)
    assert (entry.state, entry.attempts, entry.run_id, entry.partition) == (State.PENDING, 2, "r2", DAY)
    assert entry.delivered_hash == ONE.content_hash == entry.content_hash
    assert start <= pending.first_at == entry.first_at <= entry.updated_at <= datetime.now(UTC)


def test_one_process_gets_a_record_to_send_at_most_once(database_url: str) -> None:
    with Ledger(database_url) as ledger, Ledger(database_url) as other:
        assert ledger.claim("acme", "t", ONE, attempts=None, run_id="r1") is True
        assert other.claim("acme", "t", ONE, attempts=None, run_id="r2") is False
        first = ledger.of("acme", "t", ["one"])["one"]
        assert (first.state, first.attempts, first.run_id) == (State.PENDING, 1, "r1")
        assert other.claim("acme", "t", ONE, attempts=1, run_id="r2") is True
        assert ledger.claim("acme", "t", ONE, attempts=1, run_id="r1") is False
        second = ledger.of("acme", "t", ["one"])["one"]
        assert (second.attempts, second.run_id, second.first_at) == (2, "r2", first.first_at)


def test_what_another_process_has_begun_is_not_postponed(database_url: str) -> None:
    not_tried, changed = Outcome("one", State.RETRY, "not tried"), Record("one", DAY, {"value": "changed"})
    with Ledger(database_url) as ledger:
        ledger.postpone("acme", "t", [(ONE, not_tried)], attempts={"one": None}, run_id="r1")
        first = ledger.of("acme", "t", ["one"])["one"]
        assert (first.state, first.attempts, first.answer) == (State.RETRY, 0, "not tried")
        assert ledger.claim("acme", "t", ONE, attempts=0, run_id="r2") is True
        for attempts in (None, 0):
            ledger.postpone("acme", "t", [(ONE, not_tried)], attempts={"one": attempts}, run_id="r1")
        begun = ledger.of("acme", "t", ["one"])["one"]
        assert (begun.state, begun.attempts, begun.run_id) == (State.PENDING, 1, "r2")
        uncertain = Outcome("one", State.UNKNOWN, "not tried")
        ledger.postpone("acme", "t", [(changed, uncertain)], attempts={"one": 1}, run_id="r3")
        after = ledger.of("acme", "t", ["one"])["one"]
        assert (after.state, after.run_id, after.content_hash) == (State.UNKNOWN, "r3", ONE.content_hash)


def test_looking_changes_nothing_and_makes_nothing(database_url: str) -> None:
    def tables() -> dict[str, list[str]]:
        engine = open_engine(database_url)
        inspector = sa.inspect(engine)
        found = {name: [c["name"] for c in inspector.get_columns(name)] for name in inspector.get_table_names()}
        engine.dispose()
        return found

    with Ledger.to_look_at(database_url) as nothing:
        assert nothing.counts("acme", "t", [DAY]) == {}
    assert tables() == {}
    with Ledger(database_url) as ledger:
        ledger.begin("acme", "t", [ONE], run_id="r1")
    engine = open_engine(database_url)
    with engine.begin() as connection:  # as a version had it that knew of less
        connection.execute(sa.text("DROP TABLE dead_letters"))
        for column in ("retry_at", "delivered_at"):
            connection.execute(sa.text(f"ALTER TABLE deliveries DROP COLUMN {column}"))
    engine.dispose()
    before = tables()
    with Ledger.to_look_at(database_url) as old:
        assert old.counts("acme", "t", [DAY]) == {DAY: {State.PENDING: 1}}
        assert old.of("acme", "t", ["one"])["one"].delivered_at is None
        assert old.dead_letters("acme", "t") == []
    assert tables() == before
    with Ledger(database_url) as ledger:
        ledger.finish("acme", "t", [(ONE, Outcome("one", State.DELIVERED, "ok"))], attempts={"one": 1}, run_id="r1")
    with Ledger.to_look_at(database_url) as now:
        assert now.of("acme", "t", ["one"])["one"].state is State.DELIVERED


def test_a_commit_to_its_file_waits_for_the_disk_once_and_is_there_then(tmp_path: Path) -> None:
    file = tmp_path / "deliveries.db"
    with Ledger(f"sqlite:///{file}") as ledger:
        ledger.begin("acme", "t", [ONE], run_id="r1")
        with ledger.transaction() as connection:
            said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert said == ["wal", 2]
    assert list(tmp_path.iterdir()) == [file]


def test_who_may_only_read_can_look(postgres_url: str) -> None:
    with Ledger(postgres_url) as ledger:
        ledger.begin("acme", "t", [ONE], run_id="r1")
    engine = open_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP ROLE IF EXISTS reader"))
        connection.execute(sa.text("CREATE ROLE reader LOGIN"))
        connection.execute(sa.text("GRANT USAGE ON SCHEMA public TO reader"))
        connection.execute(sa.text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    with Ledger.to_look_at(postgres_url.replace("postgres:@", "reader:@")) as looked:
        assert looked.counts("acme", "t", [DAY]) == {DAY: {State.PENDING: 1}}
    with engine.begin() as connection:
        connection.execute(sa.text("DROP OWNED BY reader"))
        connection.execute(sa.text("DROP ROLE reader"))
    engine.dispose()


def test_it_names_the_last_sure_delivery_until_there_is_another(database_url: str) -> None:
    def became(state: State) -> str:
        begun = ledger.begin("acme", "t", [ONE], run_id="r")
        before = ledger.of("acme", "t", ["one"])["one"]
        ledger.finish("acme", "t", [(ONE, Outcome("one", state))], attempts=begun, run_id="r")
        after = ledger.of("acme", "t", ["one"])["one"]
        assert before.delivery == said[-1]
        said.append(after.delivery)
        return after.delivery

    said = [""]
    with Ledger(database_url) as ledger:
        assert became(State.RETRY) == ""
        first = became(State.DELIVERED)
        assert [became(state) for state in (State.UNKNOWN, State.RETRY, State.REJECTED)] == [first] * 3
        assert became(State.DELIVERED) > first > ""


def test_it_lists_the_keys_of_dates(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        ledger.begin("acme", "t", [ONE, TWO, Record("three", DAY, {})], run_id="r")
        ledger.begin("acme", "other", [Record("four", DAY, {})], run_id="r")
        assert ledger.keys("acme", "t", [DAY]) == {"one", "three"}
        assert ledger.keys("acme", "t", [DAY, NEXT_DAY, DAY]) == {"one", "two", "three"}
        assert ledger.keys("acme", "t", []) == set()


def test_it_counts_per_date_and_state_and_keeps_accounts_and_targets_apart(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        for account, target in (("acme", "t"), ("acme", "other"), ("beta", "t")):
            ledger.begin(account, target, [ONE, TWO], run_id="r")
        ledger.finish(
            "acme", "t", [(ONE, Outcome("one", State.REJECTED, "no such store"))], attempts={"one": 1}, run_id="r"
        )
        assert ledger.counts("acme", "t", [DAY, NEXT_DAY]) == {DAY: {State.REJECTED: 1}, NEXT_DAY: {State.PENDING: 1}}
        assert ledger.counts("acme", "t", [NEXT_DAY]) == {NEXT_DAY: {State.PENDING: 1}}
        assert ledger.counts("acme", "t", []) == {}
        assert ledger.counts("beta", "t", [DAY]) == {DAY: {State.PENDING: 1}}
        assert [(e.key, e.answer) for e in ledger.rejected("acme", "t")] == [("one", "no such store")]
        assert ledger.rejected("acme", "t", [NEXT_DAY]) == []


def test_it_finds_more_keys_than_one_query_takes(database_url: str) -> None:
    records = [Record(f"k{number}", DAY, {}) for number in range(1201)]
    with Ledger(database_url) as ledger:
        ledger.begin("acme", "t", records, run_id="r")
        assert len(ledger.of("acme", "t", [record.key for record in records])) == 1201


def test_a_failing_database_does_not_show_what_was_to_be_written(database_url: str) -> None:
    with Ledger(database_url) as ledger:
        engine = open_engine(database_url)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE deliveries"))
        engine.dispose()
        with pytest.raises(DBAPIError) as caught:
            ledger.begin("acme", "t", [Record("order:77001", DAY, {})], run_id="r")
    assert "77001" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["mysql+pymysql://u:hidden@h/d", "mssql+pyodbc://u:hidden@h/d", "no url: hidden", "postgresql://u:hidden@h:x/d"],
)
def test_a_url_that_cannot_be_used_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        Ledger(url)
    assert "hidden" not in str(caught.value)
    assert "sqlite" in str(caught.value)
