"""Dead letters: what targets refused, as it was to be sent, so that a person can see what to mend.

A record is here from the moment a target refuses it until it is delivered or its content changes. This is the only
place that keeps what was to be sent, and it may be personal data: payloads are forgotten after a retention, and a
ledger in a file is its owner's alone. What does not belong here: states and attempts (``ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from sitoo_pipeline.sinks.canonical import wire_json
from sitoo_pipeline.sinks.column_types import Instant
from sitoo_pipeline.sinks.contract import Record
from sitoo_pipeline.sinks.database import insert_into
from sitoo_pipeline.sinks.ledger_rows import Entry

DEAD_LETTERS = sa.Table(
    "dead_letters",
    sa.MetaData(),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("partition", sa.Date, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("reason", sa.String, nullable=False, comment="The target's answer, without personal data"),
    sa.Column("payload", sa.Text, comment="JSON as it was to be sent; may be personal data; null after the retention"),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
)

_KEYS_PER_QUERY = 500
_KEY = ("account", "target", "key")


@dataclass(frozen=True)
class DeadLetter:
    """One record that a target refuses; ``payload`` is its JSON, None once it is forgotten."""

    key: str
    partition: date
    content_hash: str
    reason: str
    payload: str | None = field(repr=False)
    run_id: str
    first_at: datetime
    last_at: datetime


def letters(
    connection: sa.Connection, account: str, target: str, dates: Iterable[date] | None = None
) -> list[DeadLetter]:
    """The dead letters of these dates, or of all, by date and key."""
    table = DEAD_LETTERS.c
    columns = [table[name] for name in DeadLetter.__dataclass_fields__]
    query = sa.select(*columns).where(table.account == account, table.target == target)
    wanted = None if dates is None else set(dates)
    found = [DeadLetter(**row._asdict()) for row in connection.execute(query.order_by(table.partition, table.key))]
    return [letter for letter in found if wanted is None or letter.partition in wanted]


def add(
    connection: sa.Connection, account: str, target: str, refused: Sequence[tuple[Record, str]], *, run_id: str
) -> None:
    """Keep these records with the target's reasons; one that is here already keeps when it was first refused."""
    now = datetime.now(UTC)
    found = [
        DeadLetter(
            record.key,
            record.partition,
            record.content_hash,
            reason,
            wire_json(record.payload).decode(),
            run_id,
            now,
            now,
        )
        for record, reason in refused
    ]
    _keep(connection, account, target, found)


def add_settled(connection: sa.Connection, account: str, target: str, of: Entry, reason: str, *, run_id: str) -> None:
    """Keep a record of which a person says that it is not to be sent; what it was to say is not known any more."""
    now = datetime.now(UTC)
    letter = DeadLetter(of.key, of.partition, of.content_hash, reason, None, run_id, now, now)
    _keep(connection, account, target, [letter])


def _keep(connection: sa.Connection, account: str, target: str, found: Sequence[DeadLetter]) -> None:
    if not found:
        return
    rows = [{"account": account, "target": target, **vars(letter)} for letter in found]
    statement = insert_into(connection, DEAD_LETTERS)
    taken = {c.name: statement.excluded[c.name] for c in DEAD_LETTERS.c if c.name not in {*_KEY, "first_at"}}
    connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=taken), rows)


def remove(connection: sa.Connection, account: str, target: str, records: Iterable[Record]) -> None:
    """These records are delivered."""
    _delete(connection, account, target, [record.key for record in records])


def remove_changed(connection: sa.Connection, account: str, target: str, records: Sequence[Record]) -> None:
    """What was refused is not what these records say now."""
    now = {record.key: record.content_hash for record in records}
    table = DEAD_LETTERS.c
    changed: list[str] = []
    for keys in _pieces(list(now)):
        query = sa.select(table.key, table.content_hash).where(
            table.account == account, table.target == target, table.key.in_(keys)
        )
        changed += [key for key, held in connection.execute(query) if now[key] != held]
    _delete(connection, account, target, changed)


def forget_payloads(connection: sa.Connection, account: str, *, before: datetime) -> int:
    """Drop the payloads that were refused last before this instant, and say how many; reasons stay."""
    table = DEAD_LETTERS.c
    old = sa.and_(table.account == account, table.last_at < before, table.payload.is_not(None))
    return int(connection.execute(sa.update(DEAD_LETTERS).where(old).values(payload=None)).rowcount)


def forget(connection: sa.Connection, account: str, *, before: date) -> None:
    """Remove what was refused of dates before this one."""
    table = DEAD_LETTERS.c
    connection.execute(sa.delete(DEAD_LETTERS).where(table.account == account, table.partition < before))


def _delete(connection: sa.Connection, account: str, target: str, keys: list[str]) -> None:
    table = DEAD_LETTERS.c
    for some in _pieces(keys):
        connection.execute(
            sa.delete(DEAD_LETTERS).where(table.account == account, table.target == target, table.key.in_(some))
        )


def _pieces(keys: list[Any]) -> Iterable[list[Any]]:
    """As many keys as old builds of SQLite take parameters."""
    return (keys[start : start + _KEYS_PER_QUERY] for start in range(0, len(keys), _KEYS_PER_QUERY))
