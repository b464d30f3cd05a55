"""The table ``deliveries``, in which the ledger is kept: its columns, how a row is written, and how it is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from sitoo_pipeline.sinks.column_types import Instant
from sitoo_pipeline.sinks.contract import Outcome, Record, State
from sitoo_pipeline.sinks.database import insert_into

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
    sa.Column("retry_at", Instant, comment="Before this the target wants nothing at all"),
    sa.Column("delivered_at", Instant, comment="When the target last surely took the record, whatever came after"),
    sa.Index("deliveries_by_day", "account", "target", "partition"),
)

_ANSWER_LENGTH = 500
LEFT_OUT = "left out: "
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
    retry_at: datetime | None
    delivered_at: datetime | None

    @property
    def delivery(self) -> str:
        """Names the last delivery that is sure; empty where there is none. Attempts that come after do not change it.

        Together with the content it tells a repeat from old figures that have come back.
        """
        return self.delivered_at.isoformat() if self.delivered_at else ""

    @property
    def left_out(self) -> str:
        """What the record lacked on purpose when it was handed over."""
        return self.answer.removeprefix(LEFT_OUT) if self.answer.startswith(LEFT_OUT) else ""


def begin(connection: sa.Connection, account: str, target: str, records: Sequence[Record], *, run_id: str) -> None:
    """Write that these records are being handed over."""
    table = DELIVERIES.c
    rows = [_row(account, target, record, Outcome(record.key, State.PENDING), run_id) for record in records]
    _write(
        connection,
        [row | {"attempts": 1} for row in rows],
        attempts=table.attempts + 1,
        delivered_hash=_surely_held(),
        delivered_at=table.delivered_at,
    )


def claim(
    connection: sa.Connection, account: str, target: str, record: Record, *, attempts: int | None, run_id: str
) -> bool:
    """As ``begin``, but only if nobody has begun since ``attempts`` were counted (None: there was no row).

    Returns:
        False where another process was quicker; nothing is written then.
    """
    row = _row(account, target, record, Outcome(record.key, State.PENDING), run_id)
    table = DELIVERIES.c
    if attempts is None:
        first = insert_into(connection, DELIVERIES).on_conflict_do_nothing(index_elements=("account", "target", "key"))
        # Without being told, SQLAlchemy does not ask psycopg how many rows an INSERT wrote, and says -1.
        done = connection.execute(first, row | {"attempts": 1}, execution_options={"preserve_rowcount": True})
        return done.rowcount == 1
    kept = ("account", "target", "key", "first_at", "delivered_at", "delivered_hash")
    changed = {name: value for name, value in row.items() if name not in kept}
    again = (
        sa.update(DELIVERIES)
        .where(table.account == account, table.target == target, table.key == record.key, table.attempts == attempts)
        .values({**changed, "attempts": attempts + 1, "delivered_hash": _surely_held()})
    )
    return connection.execute(again).rowcount == 1


def _surely_held() -> sa.ColumnElement[Any]:
    """The content that the target surely holds: none where it may hold what was on its way before."""
    uncertain = sa.or_(*(DELIVERIES.c.state == state for state in State if state.is_uncertain))
    return sa.case((uncertain, sa.null()), else_=DELIVERIES.c.delivered_hash)


def finish(
    connection: sa.Connection,
    account: str,
    target: str,
    results: Sequence[tuple[Record, Outcome]],
    *,
    attempts: Mapping[str, int | None],
    run_id: str,
    is_begun: bool,
    doubts: Mapping[str, str] | None = None,
    stay: Collection[str] = (),
) -> None:
    """Write what became of these records; of those of ``doubts`` another content is in doubt, with that hash.

    Those of ``stay`` are written as delivered, at the time when they were.
    A record that was begun since ``attempts`` were counted is left alone; where it ``is_begun`` by this run also one
    that is another run's by now: a person has settled it.
    """
    rows = [
        _row(account, target, r, replace(outcome, state=State.DELIVERED), run_id) | {"delivered_at": None}
        if r.key in stay
        else _row(account, target, r, outcome, run_id)
        for r, outcome in results
    ]
    doubts, table = doubts or {}, DELIVERIES.c
    is_same = table.attempts == sa.literal_column("excluded.attempts")
    is_ours = table.run_id == sa.literal_column("excluded.run_id")
    _write(
        connection,
        [
            row
            | {"content_hash": doubts.get(str(row["key"]), row["content_hash"])}
            | {"attempts": attempts[str(row["key"])] or 0}
            for row in rows
        ],
        where=sa.and_(is_same, is_ours) if is_begun else is_same,
        attempts=DELIVERIES.c.attempts,
        delivered_hash=sa.func.coalesce(sa.literal_column("excluded.delivered_hash"), DELIVERIES.c.delivered_hash),
        delivered_at=sa.func.coalesce(sa.literal_column("excluded.delivered_at"), DELIVERIES.c.delivered_at),
    )


def postpone(
    connection: sa.Connection,
    account: str,
    target: str,
    results: Sequence[tuple[Record, Outcome]],
    *,
    attempts: Mapping[str, int | None],
    run_id: str,
) -> None:
    """Write that these records were not tried, but of none that another process has begun since ``attempts``.

    What is in doubt, or is delivered, is the content that was tried last, so that stays noted.
    """
    _write(
        connection,
        [
            _row(account, target, record, outcome, run_id) | {"attempts": attempts[record.key] or 0}
            for record, outcome in results
        ],
        where=DELIVERIES.c.attempts == sa.literal_column("excluded.attempts"),
        content_hash=DELIVERIES.c.content_hash,
        delivered_hash=DELIVERIES.c.delivered_hash,
        delivered_at=DELIVERIES.c.delivered_at,
    )


def settle(
    connection: sa.Connection, account: str, target: str, entry: Entry, state: State, answer: str, *, run_id: str
) -> bool:
    """Write what a person says of a record in doubt; False where it is no longer as ``entry`` has it."""
    table, now = DELIVERIES.c, datetime.now(UTC)
    changed: dict[str, object] = {
        "state": state.value,
        "answer": shortened(answer),
        "run_id": run_id,
        "updated_at": now,
        "retry_at": None,
    }
    if state is State.DELIVERED:
        changed |= {"delivered_hash": entry.content_hash, "delivered_at": now}
    is_same = sa.and_(table.attempts == entry.attempts, table.state == entry.state.value)
    of_key = sa.and_(table.account == account, table.target == target, table.key == entry.key)
    return connection.execute(sa.update(DELIVERIES).where(of_key, is_same).values(changed)).rowcount == 1


def entries(account: str, target: str) -> sa.Select[tuple[Any, ...]]:
    """The entries of one target, to be narrowed down; ``entry`` reads each row."""
    columns = [DELIVERIES.c[name] for name in Entry.__dataclass_fields__]
    return sa.select(*columns).where(DELIVERIES.c.account == account, DELIVERIES.c.target == target)


def entry(row: sa.Row[tuple[Any, ...]]) -> Entry:
    """A row of ``entries``."""
    values = row._asdict()
    return Entry(**{**values, "state": State(values["state"])})


def shortened(answer: str) -> str:
    """An answer at the length that is kept."""
    return answer[:_ANSWER_LENGTH]


def _write(
    connection: sa.Connection,
    rows: list[dict[str, object]],
    *,
    where: sa.ColumnElement[bool] | None = None,
    **changes: sa.ColumnElement[Any],
) -> None:
    if not rows:
        return
    statement = insert_into(connection, DELIVERIES)
    key = ("account", "target", "key")
    taken: dict[str, sa.ColumnElement[Any]] = {
        column.name: statement.excluded[column.name]
        for column in DELIVERIES.c
        if column.name not in {*key, "first_at", *changes}
    }
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=taken | changes, where=where), rows)


def _row(account: str, target: str, record: Record, outcome: Outcome, run_id: str) -> dict[str, object]:
    now = datetime.now(UTC)
    lacks = record.left_out if outcome.state is State.DELIVERED else ""
    return {
        "account": account,
        "target": target,
        "key": record.key,
        "partition": record.partition,
        "content_hash": record.content_hash,
        "delivered_hash": record.content_hash if outcome.state is State.DELIVERED else None,
        "state": outcome.state.value,
        "attempts": 0,
        "answer": shortened(f"{LEFT_OUT}{lacks}" if lacks else outcome.answer),
        "run_id": run_id,
        "first_at": now,
        "updated_at": now,
        "retry_at": outcome.retry_after,
        "delivered_at": now if outcome.state is State.DELIVERED else None,
    }


def forget(connection: sa.Connection, account: str, *, before: date) -> int:
    """Remove the settled rows of dates before this one, and say how many."""
    table = DELIVERIES.c
    settled = table.state.in_([State.DELIVERED, State.REJECTED, State.HELD])
    gone = sa.delete(DELIVERIES).where(table.account == account, table.partition < before, settled)
    return int(connection.execute(gone).rowcount)
