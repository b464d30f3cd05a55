"""What was begun at SameSystem and must be brought to its end, and which number each till of a store has.

A correction takes a day apart before it puts it together again: the week is unapproved, the day unconfirmed. What was
there before is written here before anything is done, so that a process killed in between leaves enough for the next
one to finish. A till's number is given once and kept for ever. What does not belong here: what the steps are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from sitoo_pipeline.sinks.canonical import canonical_json
from sitoo_pipeline.sinks.column_types import Instant
from sitoo_pipeline.sinks.contract import Record
from sitoo_pipeline.sinks.database import create_table, has_table, insert_into, open_own_engine

_METADATA = sa.MetaData()

DAYS = sa.Table(
    "samesystem_days",
    _METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("store_id", sa.String, primary_key=True),
    sa.Column("business_date", sa.Date, primary_key=True),
    sa.Column("state", sa.String, nullable=False, comment="begun, waiting for somebody at SameSystem, or done"),
    sa.Column("payload", sa.String, nullable=False, comment="The figures, as JSON"),
    sa.Column("approved_before", sa.String, nullable=False, comment="Registers whose week was approved, as JSON"),
    sa.Column("confirmed_before", sa.String, nullable=False, comment="Registers whose day was confirmed, as JSON"),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
)

STEPS = sa.Table(
    "samesystem_steps",
    _METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("store_id", sa.String, primary_key=True),
    sa.Column("business_date", sa.Date, primary_key=True),
    sa.Column("register", sa.Integer, primary_key=True),
    sa.Column("step", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False, comment="begun, done or refused"),
    sa.Column("content_hash", sa.String(64), nullable=False, comment="Of a save: the figures; else empty"),
    sa.Column("is_visible", sa.Boolean, nullable=False, comment="Whether reading the week tells if it was done"),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
)

NUMBERS = sa.Table(
    "register_numbers",
    _METADATA,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("store_id", sa.String, primary_key=True),
    sa.Column("register_id", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.UniqueConstraint("account", "store_id", "number"),
)

BEGUN, WAITING, DONE, REFUSED = "begun", "waiting", "done", "refused"


@dataclass(frozen=True)
class Before:
    """The registers whose week was approved, and whose day was confirmed, before anything was done."""

    approved: frozenset[int] = frozenset()
    confirmed: frozenset[int] = frozenset()

    def __or__(self, other: Before) -> Before:
        return Before(self.approved | other.approved, self.confirmed | other.confirmed)


@dataclass(frozen=True)
class Saved:
    """The last save of a register's day; ``is_visible`` where the week showed other figures before it."""

    state: str
    content_hash: str
    is_visible: bool


class Journal:
    """The journal of one account, in the database of the ledger. It creates its tables when it first writes.

    Raises:
        DatabaseUrlError: for a URL that cannot be used.
    """

    def __init__(self, url: str, *, account: str) -> None:
        self._engine = open_own_engine(url)
        self._account = account
        self._is_made = False

    def close(self) -> None:
        """Give back the database's connections."""
        self._engine.dispose()

    def unfinished(self) -> list[Record]:
        """What a process that ended left half done, as the records that it was sending."""
        query = sa.select(DAYS).where(DAYS.c.account == self._account, DAYS.c.state == BEGUN)
        rows = self._rows(DAYS, query.order_by(DAYS.c.business_date, DAYS.c.store_id))
        return [
            Record(record_key(row.store_id, row.business_date), row.business_date, orjson.loads(row.payload))
            for row in rows
        ]

    def before(self, store_id: str, day: date) -> tuple[str, Before]:
        """Whether something is begun, waiting or done, and what was there before it began."""
        rows = self._rows(DAYS, sa.select(DAYS).where(*self._of(DAYS, store_id, day)))
        if not rows or rows[0].state == DONE:
            return DONE, Before()
        row = rows[0]
        approved, confirmed = (orjson.loads(text) for text in (row.approved_before, row.confirmed_before))
        return row.state, Before(frozenset(approved), frozenset(confirmed))

    def begin(self, store_id: str, day: date, payload: Mapping[str, Any], before: Before) -> None:
        """Note, before the first step, what is to be and what was."""
        values = {
            "state": BEGUN,
            "payload": canonical_json(payload).decode(),
            "approved_before": orjson.dumps(sorted(before.approved)).decode(),
            "confirmed_before": orjson.dumps(sorted(before.confirmed)).decode(),
            "begun_at": datetime.now(UTC),
            "ended_at": None,
        }
        self._put(DAYS, {"store_id": store_id, "business_date": day}, values)

    def end(self, store_id: str, day: date, state: str) -> None:
        """Note that nothing is left to do, or (waiting) that somebody at SameSystem has to do something first."""
        statement = sa.update(DAYS).where(*self._of(DAYS, store_id, day))
        with self._begin() as connection:
            connection.execute(statement.values(state=state, ended_at=datetime.now(UTC)))

    def begin_step(
        self, store_id: str, day: date, register: int, step: str, *, content_hash: str = "", is_visible: bool = True
    ) -> None:
        """Note, before the call, that a step is taken."""
        key = {"store_id": store_id, "business_date": day, "register": register, "step": step}
        values = {"content_hash": content_hash, "is_visible": is_visible, "begun_at": datetime.now(UTC)}
        self._put(STEPS, key, {"state": BEGUN, "ended_at": None, **values})

    def end_step(self, store_id: str, day: date, register: int, step: str, state: str) -> None:
        """Note what SameSystem answered: done or refused."""
        one = (STEPS.c.register == register, STEPS.c.step == step)
        statement = sa.update(STEPS).where(*self._of(STEPS, store_id, day), *one)
        with self._begin() as connection:
            connection.execute(statement.values(state=state, ended_at=datetime.now(UTC)))

    def saved(self, store_id: str, day: date) -> dict[int, Saved]:
        """The last save of each register."""
        query = sa.select(STEPS).where(*self._of(STEPS, store_id, day), STEPS.c.step == "save")
        rows = self._rows(STEPS, query)
        return {row.register: Saved(row.state, row.content_hash, row.is_visible) for row in rows}

    def numbers(self) -> dict[tuple[str, str], int]:
        """The number of each till that has one, by store and register id."""
        query = sa.select(NUMBERS.c.store_id, NUMBERS.c.register_id, NUMBERS.c.number)
        rows = self._rows(NUMBERS, query.where(NUMBERS.c.account == self._account))
        return {(row.store_id, row.register_id): row.number for row in rows}

    def keep_numbers(self, numbers: Mapping[tuple[str, str], int]) -> None:
        """Give these tills their numbers for ever; one that has a number keeps it."""
        rows = [
            {"account": self._account, "store_id": store_id, "register_id": register_id, "number": number}
            for (store_id, register_id), number in sorted(numbers.items())
        ]
        if rows:
            statement = insert_into(self._engine, NUMBERS).on_conflict_do_nothing(
                index_elements=["account", "store_id", "register_id"]
            )
            with self._begin() as connection:
                connection.execute(statement, rows)

    def _rows(self, table: sa.Table, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """What the query finds; nothing where nothing was ever written. Looking makes no table and no file."""
        if not self._is_made and not has_table(self._engine, table):
            return []
        with self._engine.connect() as connection:
            return connection.execute(query).all()

    def _begin(self) -> AbstractContextManager[sa.Connection]:
        if not self._is_made:
            for table in _METADATA.sorted_tables:
                create_table(self._engine, table)
            self._is_made = True
        return self._engine.begin()

    def _of(self, table: sa.Table, store_id: str, day: date) -> tuple[sa.ColumnElement[bool], ...]:
        return table.c.account == self._account, table.c.store_id == store_id, table.c.business_date == day

    def _put(self, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        statement = insert_into(self._engine, table).values(account=self._account, **key, **values)
        columns: Collection[str] = [column.name for column in table.primary_key]
        with self._begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=columns, set_=dict(values)))


def record_key(store_id: str, day: date) -> str:
    """The key of a store's day in the ledger."""
    return f"{store_id}/{day}"
