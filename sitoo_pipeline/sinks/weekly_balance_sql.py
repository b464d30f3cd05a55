"""Weekly balance into a SQL database: the table ``weekly_balance_hourly``.

One record of the delivery contract is one business date of one account: it is written in one transaction and compared
row by row with what the database holds, so that a table that was emptied, restored or edited by hand is put right by a
plain run. What does not belong here: the table and its rows (``weekly_balance_table``), the figures themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import ClassVar

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from sitoo_pipeline.sinks.canonical import content_hash
from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.contract import NotReadError, OnUnknown, Outcome, Prepared, Record, State
from sitoo_pipeline.sinks.database import create_table, create_table_within, has_table, open_engine
from sitoo_pipeline.sinks.weekly_balance_table import TABLE, Difference, Row, Written, held_rows, replace
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY as MART


class WeeklyBalanceSql(Closing):
    """The table ``weekly_balance_hourly`` of a SQL database. A context manager; it creates the table.

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
            with self._begin() as connection:
                total.update(vars(replace(connection, record)))
        return Written(**total)

    @property
    def url(self) -> sa.URL:
        """Which database it is."""
        return self._engine.url

    def holds(self, record: Record) -> bool:
        """Whether the table holds exactly the rows of this record; looking makes no table.

        Raises:
            NotReadError: the database cannot be read.
        """
        return self._read(record).is_empty

    def difference(self, record: Record) -> list[str]:
        """The figures that would change, store by store.

        Raises:
            NotReadError: the database cannot be read.
        """
        return self._read(record).lines

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Write dates, a transaction each. Where a commit fails, the rows may be written; reading back decides."""
        return [_outcome(record, self._begin, State.UNKNOWN) for record in batch]

    def send_within(self, connection: sa.Connection, batch: Sequence[Record]) -> list[Outcome]:
        """Write dates in the caller's transaction, each after a savepoint to which a failure goes back."""

        @contextmanager
        def begin() -> Iterator[sa.Connection]:
            with connection.begin_nested():
                self._create(connection)
                yield connection

        # What failed is surely not there: it was taken back, or the caller's transaction is lost as a whole.
        return [_outcome(record, begin, State.RETRY) for record in batch]

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        if not self._is_created:
            create_table(self._engine, TABLE)
            self._is_created = True
        with self._engine.begin() as connection:
            yield connection

    def _create(self, connection: sa.Connection) -> None:
        if not self._is_created:
            create_table_within(connection, TABLE)

    def _read(self, record: Record) -> Difference:
        try:
            if not (self._is_created or has_table(self._engine, TABLE)):
                return Difference.between({}, record)
            with self._engine.connect() as connection:
                return Difference.between(held_rows(connection, record), record)
        except DBAPIError as error:
            raise NotReadError(f"the database cannot be read: {_told(error)}", stop=True) from None


def _outcome(record: Record, begin: Callable[[], AbstractContextManager[sa.Connection]], lost: State) -> Outcome:
    """Write one record in a transaction of ``begin``; ``lost`` is what it means where its end fails."""
    is_ending = False
    try:
        with begin() as connection:
            done = replace(connection, record)
            is_ending = True
    except (DataError, IntegrityError) as error:
        return Outcome(record.key, State.REJECTED, _told(error))
    except DBAPIError as error:
        if lost is State.RETRY and error.connection_invalidated:
            raise
        # Before its end a transaction has written nothing, whatever went wrong.
        state = lost if is_ending else State.RETRY
        return Outcome(record.key, state, f"the database failed: {_told(error)}", stop=True)
    except StatementError as error:
        return Outcome(record.key, State.REJECTED, _told(error))
    text = f"{done.written} rows written, {done.unchanged} unchanged, {done.deleted} deleted"
    return Outcome(record.key, State.DELIVERED, text, counts=vars(done))


def _record(account: str, day: date, rows: list[Row], held: Collection[str]) -> Record:
    hashed = [{**row, "content_hash": content_hash(row)} for row in rows if row["store_id"] not in held]
    payload = {"account": account, "business_date": day, "rows": hashed}
    if not held:
        return Record(day.isoformat(), day, payload)
    said = ", ".join(f"store {store_id} (held back)" for store_id in sorted(held))
    return Record(day.isoformat(), day, payload | {"held_stores": sorted(held)}, left_out=said)


def _told(error: StatementError) -> str:
    """What the driver said, without the statement."""
    return f"{type(error.orig).__name__}: {error.orig}"
