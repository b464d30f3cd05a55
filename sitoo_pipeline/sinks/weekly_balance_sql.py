"""Weekly balance into a SQL database: the table ``weekly_balance_hourly``.

One record of the delivery contract is one business date of one account: it is written in one transaction and compared
row by row with what the database holds, so that a table that was emptied, restored or edited by hand is put right by a
plain run. What does not belong here: dialects and column types (``database``), the figures themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, ClassVar, Self

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from sitoo_pipeline.sinks.canonical import content_hash
from sitoo_pipeline.sinks.column_types import Instant, Money
from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Prepared, Record, State
from sitoo_pipeline.sinks.database import create_table, insert_into, open_engine
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY as MART
from sitoo_pipeline.tables.types import DATE, INTEGER, MONEY, TEXT

_SQL_TYPES = {TEXT: sa.String, INTEGER: sa.Integer, DATE: sa.Date, MONEY: Money}

TABLE = sa.Table(
    MART.name,
    sa.MetaData(),
    *(sa.Column(c.name, _SQL_TYPES[c.type](), primary_key=c.name in MART.key, nullable=False) for c in MART.columns),  # type: ignore[index]
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
)

_MEASURES = [name for name in MART.names if name not in MART.key]
_HASHED = [*_MEASURES, "content_hash"]

Row = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Written:
    """Rows of the target that were written, that were right already, and that were deleted."""

    written: int = 0
    unchanged: int = 0
    deleted: int = 0


class WeeklyBalanceSql:
    """The table ``weekly_balance_hourly`` of a SQLite or PostgreSQL database. A context manager; it creates the table.

    **Unknown**: the database can be read, so what it holds decides; a write is one transaction and addressed by key, a
    repeat changes nothing.

    Raises:
        DatabaseUrlError: for a URL that cannot be used, or a database that is not supported.
    """

    name: ClassVar[str] = "weekly_balance_sql"
    batch_size: ClassVar[int] = 1
    on_unknown: ClassVar[OnUnknown] = OnUnknown.READ_BACK

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._is_created = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the database's connections."""
        self._engine.dispose()

    def prepare(
        self,
        frame: pl.DataFrame,
        *,
        account: str,
        dates: Collection[date],
        held: Mapping[date, Collection[str]] | None = None,
    ) -> Prepared:
        """One record per date, also for a date without rows: what the table holds of it is then deleted.

        Args:
            frame: rows of ``marts.weekly_balance_hourly``; other accounts and dates in it are left alone.
            account: the account to write.
            dates: the business dates to write; each must have been loaded.
            held: stores held back, by date: what the table has of them stays as it is, whatever ``frame`` says.

        Raises:
            ValueError: where a key of the mart occurs twice.
        """
        mine = frame.select(MART.names).filter(pl.col("account") == account, pl.col("business_date").is_in(set(dates)))
        twice = mine.filter(pl.struct(MART.key).is_duplicated()).select(MART.key).unique().sort(MART.key)
        if twice.height:
            raise ValueError(f"{MART.qualified} has a key more than once: {', '.join(map(str, twice.rows()))}")
        days: dict[date, list[Row]] = {day: [] for day in sorted(set(dates))}
        for row in mine.sort(MART.key).iter_rows(named=True):
            days[row["business_date"]].append(row)
        stays = held or {}
        return Prepared(tuple(_record(account, day, rows, stays.get(day, ())) for day, rows in days.items()))

    def write(self, frame: pl.DataFrame, *, account: str, dates: Collection[date]) -> Written:
        """Make the table hold exactly these rows for the account and dates: one transaction per date, no ledger.

        Args and errors as ``prepare``; failures of the database are raised as SQLAlchemy raises them.
        """
        total: Counter[str] = Counter()
        for record in self.prepare(frame, account=account, dates=dates).records:
            total.update(vars(self._replace(record)))
        return Written(**total)

    def holds(self, record: Record) -> bool:
        """Whether the table holds exactly the rows of this record."""
        try:
            with self._begin() as connection:
                return _difference(connection, record).is_empty
        except DBAPIError:
            return False

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Write dates, a transaction each."""
        return [self._outcome(record) for record in batch]

    def _outcome(self, record: Record) -> Outcome:
        try:
            done = self._replace(record)
        except (DataError, IntegrityError) as error:
            return Outcome(record.key, State.REJECTED, _told(error))
        except DBAPIError as error:
            # Only the commit itself can fail with the rows written; reading back decides, and nothing is lost by it.
            return Outcome(record.key, State.UNKNOWN, f"the database failed: {_told(error)}", stop=True)
        except StatementError as error:
            return Outcome(record.key, State.REJECTED, _told(error))
        text = f"{done.written} rows written, {done.unchanged} unchanged, {done.deleted} deleted"
        return Outcome(record.key, State.DELIVERED, text, counts=vars(done))

    def _begin(self) -> Any:
        if not self._is_created:
            create_table(self._engine, TABLE)
            self._is_created = True
        return self._engine.begin()

    def _replace(self, record: Record) -> Written:
        with self._begin() as connection:
            difference = _difference(connection, record)
            if difference.to_delete:
                statement = sa.delete(TABLE).where(*(TABLE.c[name] == sa.bindparam(f"old_{name}") for name in MART.key))
                keys = [{f"old_{n}": v for n, v in zip(MART.key, key, strict=True)} for key in difference.to_delete]
                connection.execute(statement, keys)
            if difference.to_write:
                now = datetime.now(UTC)
                connection.execute(self._upsert(), [{**row, "updated_at": now} for row in difference.to_write])
        return Written(
            written=len(difference.to_write),
            unchanged=len(record.payload["rows"]) - len(difference.to_write),
            deleted=len(difference.to_delete),
        )

    def _upsert(self) -> sa.Executable:
        """An upsert that touches a row only where it says something else: two writers at once do no harm."""
        statement = insert_into(self._engine, TABLE)
        new = statement.excluded
        return statement.on_conflict_do_update(
            index_elements=list(MART.key),
            set_={name: new[name] for name in [*_HASHED, "updated_at"]},
            where=sa.or_(*(TABLE.c[name].is_distinct_from(new[name]) for name in _HASHED)),
        )


@dataclass(frozen=True)
class _Difference:
    to_write: list[Row]
    to_delete: list[Key]

    @property
    def is_empty(self) -> bool:
        return not self.to_write and not self.to_delete


def _record(account: str, day: date, rows: list[Row], held: Collection[str]) -> Record:
    hashed = [{**row, "content_hash": content_hash(row)} for row in rows if row["store_id"] not in held]
    payload = {"account": account, "business_date": day, "rows": hashed}
    if not held:
        return Record(day.isoformat(), day, payload)
    said = ", ".join(f"store {store_id} (held back)" for store_id in sorted(held))
    return Record(day.isoformat(), day, payload | {"held_stores": sorted(held)}, left_out=said)


def _difference(connection: sa.Connection, record: Record) -> _Difference:
    query = sa.select(*(TABLE.c[name] for name in [*MART.names, "content_hash"])).where(
        TABLE.c.account == record.payload["account"], TABLE.c.business_date == record.payload["business_date"]
    )
    if stays := record.payload.get("held_stores"):
        query = query.where(TABLE.c.store_id.not_in(stays))
    held = {_key(row): dict(row) for row in connection.execute(query).mappings()}
    wanted = {_key(row): row for row in record.payload["rows"]}
    return _Difference(
        to_write=[row for key, row in wanted.items() if held.get(key) != row],
        to_delete=[key for key in held if key not in wanted],
    )


def _told(error: StatementError) -> str:
    """What the driver said, without the statement."""
    return f"{type(error.orig).__name__}: {error.orig}"


def _key(row: Any) -> Key:
    return tuple(row[name] for name in MART.key)
