"""The ledger: what was handed to which target, and what became of it.

One row per account, target and key, written before a call and after it, so that a process killed at any moment leaves a
truthful state. It holds hashes and never payloads: those may be personal data. What does not belong here: what is to be
sent (``delivery`` decides) and how (the targets).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from sitoo_pipeline.sinks.contract import Outcome, Record, State
from sitoo_pipeline.sinks.database import Instant, create_table, insert_into, open_engine

DELIVERIES = sa.Table(
    "deliveries",
    sa.MetaData(),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("partition", sa.Date, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False, comment="Content handed over, or tried, last"),
    sa.Column("delivered_hash", sa.String(64), comment="Content that the target surely holds; null where uncertain"),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("answer", sa.String, nullable=False, comment="The target's answer, without personal data"),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Index("deliveries_by_day", "account", "target", "partition"),
)

_KEYS_PER_QUERY = 500  # old builds of SQLite take 999 parameters
_ANSWER_LENGTH = 500
_LEFT_OUT = "left out: "
"""Begins the answer of a record that lacks something on purpose."""


@dataclass(frozen=True)
class Entry:
    """One row of the ledger."""

    key: str
    partition: date
    content_hash: str
    delivered_hash: str | None
    state: State
    attempts: int
    answer: str
    run_id: str
    first_at: datetime
    updated_at: datetime

    @property
    def left_out(self) -> str:
        """What the record lacked on purpose when it was handed over."""
        return self.answer.removeprefix(_LEFT_OUT) if self.answer.startswith(_LEFT_OUT) else ""


class Ledger:
    """The table ``deliveries`` of a SQLAlchemy database. A context manager; it creates its table.

    Raises:
        DatabaseUrlError: for a URL that cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        create_table(self._engine, DELIVERIES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the database's connections."""
        self._engine.dispose()

    def of(self, account: str, target: str, keys: Iterable[str]) -> dict[str, Entry]:
        """The entries of these keys; a key that was never handed over has none."""
        wanted = list(keys)
        found: dict[str, Entry] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                some = DELIVERIES.c.key.in_(wanted[start : start + _KEYS_PER_QUERY])
                rows = connection.execute(_entries(account, target).where(some))
                found.update((row.key, _entry(row)) for row in rows)
        return found

    def counts(self, account: str, target: str, dates: Collection[date]) -> dict[date, dict[State, int]]:
        """How many records of each of these dates are in each state; a date without any is left out."""
        days, table = set(dates), DELIVERIES.c
        if not days:
            return {}
        query = (
            sa.select(table.partition, table.state, sa.func.count())
            .where(table.account == account, table.target == target, table.partition.between(min(days), max(days)))
            .group_by(table.partition, table.state)
            .order_by(table.partition, table.state)
        )
        found: dict[date, dict[State, int]] = {}
        with self._engine.connect() as connection:
            for day, state, number in connection.execute(query):
                if day in days:
                    found.setdefault(day, {})[State(state)] = number
        return found

    def left_out(self, account: str, target: str, dates: Collection[date]) -> dict[date, list[str]]:
        """What the delivered records of each of these dates lack on purpose; a date that lacks nothing is left out."""
        days, table = set(dates), DELIVERIES.c
        found: dict[date, list[str]] = {}
        if not days:
            return found
        query = _entries(account, target).where(
            table.state == State.DELIVERED,
            table.answer.startswith(_LEFT_OUT, autoescape=True),
            table.partition.between(min(days), max(days)),
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(table.partition, table.key)):
                if row.partition in days:
                    found.setdefault(row.partition, []).append(_entry(row).left_out)
        return found

    def rejected(self, account: str, target: str, dates: Collection[date] | None = None) -> list[Entry]:
        """The entries that the target refuses, of these dates or of all, by date and key."""
        query = _entries(account, target).where(DELIVERIES.c.state == State.REJECTED)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.partition, DELIVERIES.c.key))
            return [_entry(row) for row in rows if dates is None or row.partition in set(dates)]

    def begin(self, account: str, target: str, records: Sequence[Record], *, run_id: str) -> None:
        """Note, before the call, that these records are being handed over."""
        rows = [_row(account, target, record, State.PENDING, run_id=run_id, attempts=1) for record in records]
        table = DELIVERIES.c
        uncertain = sa.or_(*(table.state == state for state in State if state.is_uncertain))
        # The target may hold what was on its way before: then nothing is sure any more.
        surely_held = sa.case((uncertain, sa.null()), else_=table.delivered_hash)
        self._write(rows, attempts=table.attempts + 1, delivered_hash=surely_held)

    def finish(self, account: str, target: str, results: Sequence[tuple[Record, Outcome]], *, run_id: str) -> None:
        """Note what became of these records; also of one that was not tried at all, or was found at the target."""
        rows = [
            _row(account, target, record, outcome.state, run_id=run_id, answer=_answer(record, outcome))
            for record, outcome in results
        ]
        self._write(rows, attempts=DELIVERIES.c.attempts)

    def _write(self, rows: list[dict[str, object]], **changes: sa.ColumnElement[Any]) -> None:
        if not rows:
            return
        statement = insert_into(self._engine, DELIVERIES)
        new, key = statement.excluded, ["account", "target", "key"]
        taken: dict[str, sa.ColumnElement[Any]] = {
            column.name: new[column.name] for column in DELIVERIES.c if column.name not in {*key, "first_at"}
        }
        taken["delivered_hash"] = sa.func.coalesce(new.delivered_hash, DELIVERIES.c.delivered_hash)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=key, set_=taken | changes), rows)


def _answer(record: Record, outcome: Outcome) -> str:
    """The target's answer; of a record that was taken but lacks something, what it lacks."""
    lacks = record.left_out if outcome.state is State.DELIVERED else ""
    return f"{_LEFT_OUT}{lacks}" if lacks else outcome.answer


def _row(
    account: str, target: str, record: Record, state: State, *, run_id: str, answer: str = "", attempts: int = 0
) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "account": account,
        "target": target,
        "key": record.key,
        "partition": record.partition,
        "content_hash": record.content_hash,
        "delivered_hash": record.content_hash if state is State.DELIVERED else None,
        "state": state.value,
        "attempts": attempts,
        "answer": answer[:_ANSWER_LENGTH],
        "run_id": run_id,
        "first_at": now,
        "updated_at": now,
    }


_FIELDS = [DELIVERIES.c[name] for name in Entry.__dataclass_fields__]


def _entries(account: str, target: str) -> sa.Select[tuple[Any, ...]]:
    return sa.select(*_FIELDS).where(DELIVERIES.c.account == account, DELIVERIES.c.target == target)


def _entry(row: sa.Row[tuple[Any, ...]]) -> Entry:
    values = row._asdict()
    return Entry(**{**values, "state": State(values["state"])})
