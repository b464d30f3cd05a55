"""The table ``weekly_balance_hourly``: its columns, and how a date in it is compared and replaced.

What belongs here: rows and SQL. What does not: deliveries and what a failure means (``weekly_balance_sql``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sitoo_pipeline.sinks.column_types import Instant, KeyText, Money
from sitoo_pipeline.sinks.contract import Record
from sitoo_pipeline.sinks.upserts import upsert
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY as MART
from sitoo_pipeline.tables.types import DATE, INTEGER, MONEY, TEXT

_SQL_TYPES: dict[object, TypeEngine[Any]] = {TEXT: KeyText, INTEGER: sa.Integer(), DATE: sa.Date(), MONEY: Money()}

TABLE = sa.Table(
    MART.name,
    sa.MetaData(),
    *(sa.Column(c.name, _SQL_TYPES[c.type], primary_key=c.name in MART.key, nullable=False) for c in MART.columns),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
)

_MEASURES = [name for name in MART.names if name not in MART.key]

Row = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Written:
    """Rows of the target that were written, that were right already, and that were deleted."""

    written: int = 0
    unchanged: int = 0
    deleted: int = 0


def replace(connection: sa.Connection, record: Record) -> Written:
    """Make the table hold exactly the rows of the record, in the caller's transaction."""
    difference = Difference.between(held_rows(connection, record), record)
    if difference.to_delete:
        statement = sa.delete(TABLE).where(*(TABLE.c[name] == sa.bindparam(f"old_{name}") for name in MART.key))
        keys = [{f"old_{n}": v for n, v in zip(MART.key, key, strict=True)} for key in difference.to_delete]
        connection.execute(statement, keys)
    if difference.to_write:
        now = datetime.now(UTC)
        upsert(connection, TABLE, [{**row, "updated_at": now} for row in difference.to_write], stamp="updated_at")
    return Written(
        written=len(difference.to_write),
        unchanged=len(record.payload["rows"]) - len(difference.to_write),
        deleted=len(difference.to_delete),
    )


@dataclass(frozen=True)
class Difference:
    """What the table has to change to hold a record."""

    held: Mapping[Key, Row]
    to_write: list[Row]
    to_delete: list[Key]

    @classmethod
    def between(cls, held: Mapping[Key, Row], record: Record) -> Difference:
        """What is held against what is wanted."""
        wanted = {_key(row): row for row in record.payload["rows"]}
        return cls(
            held=held,
            to_write=[row for key, row in wanted.items() if held.get(key) != row],
            to_delete=[key for key in held if key not in wanted],
        )

    @property
    def is_empty(self) -> bool:
        """Whether the table holds exactly the record."""
        return not self.to_write and not self.to_delete

    @property
    def lines(self) -> list[str]:
        """In words: hours that change one by one, those that come or go together."""
        new = Counter(_place(row) for row in self.to_write if _key(row) not in self.held)
        gone = Counter(_place(self.held[key]) for key in self.to_delete)
        said = [f"{place}: {number} hours to be written" for place, number in new.items()]
        said += [f"{place}: {number} hours to be deleted" for place, number in gone.items()]
        for row in self.to_write:
            if old := self.held.get(_key(row)):
                moved = [f"{name} {old[name]} -> {row[name]}" for name in _MEASURES if old[name] != row[name]]
                said.append(f"{_place(row)} hour {row['hour']}: {', '.join(moved) or 'only its hash'}")
        return said


def _place(row: Row) -> str:
    return f"store {row['store_id']} {row['currency']}"


def held_rows(connection: sa.Connection, record: Record) -> dict[Key, Row]:
    """What the table holds of the record's account and date, without the stores that are held back."""
    query = sa.select(*(TABLE.c[name] for name in [*MART.names, "content_hash"])).where(
        TABLE.c.account == record.payload["account"], TABLE.c.business_date == record.payload["business_date"]
    )
    if stays := record.payload.get("held_stores"):
        query = query.where(TABLE.c.store_id.not_in(stays))
    names = query.selected_columns.keys()
    held = (dict(zip(names, row, strict=True)) for row in connection.execute(query))  # mappings take twice as long
    return {_key(row): row for row in held}


def _key(row: Any) -> Key:
    return tuple(row[name] for name in MART.key)
