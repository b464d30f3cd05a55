"""The ledger: what was handed to which target, and what became of it.

One row per account, target and key, written before a call and after it, so that a process killed at any moment leaves a
truthful state. It holds hashes and no payloads, but for those that a target refused (``dead_letters``). What does not
belong here: what is to be sent (``delivery`` decides) and how (the targets).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime

import sqlalchemy as sa

from sitoo_pipeline.sinks import dead_letters, ledger_rows
from sitoo_pipeline.sinks.closing import Closing
from sitoo_pipeline.sinks.contract import Outcome, Record, State
from sitoo_pipeline.sinks.database import (
    copy_rows,
    create_table,
    has_table,
    is_same_database,
    is_whole,
    open_own_engine,
    sqlite_file,
    write_ahead,
)
from sitoo_pipeline.sinks.dead_letters import DEAD_LETTERS, DeadLetter
from sitoo_pipeline.sinks.ledger_rows import DELIVERIES, LEFT_OUT, Entry, entries, entry, shortened

_KEYS_PER_QUERY = 500  # old builds of SQLite take 999 parameters


class Ledger(Closing):
    """The tables ``deliveries`` and ``dead_letters`` of a SQLAlchemy database. A context manager; it creates them.

    A SQLite file is made (and one of an older version, without dead letters, made again) readable for its owner alone.

    Raises:
        DatabaseUrlError: for a URL that cannot be used.
    """

    def __init__(self, url: str, *, is_made: bool = True) -> None:
        self._engine = open_own_engine(url)
        self._joined: sa.Connection | None = None
        if is_made:
            self._make()

    def _make(self) -> None:
        if not has_table(self._engine, DEAD_LETTERS):
            self._keep_private()
            create_table(self._engine, DEAD_LETTERS)
        write_ahead(self._engine)
        create_table(self._engine, DELIVERIES)

    @classmethod
    def to_look_at(cls, url: str) -> Ledger:
        """The ledger as it is: nothing is made or changed there, and nobody needs a right to write to its tables.

        SQLite keeps a log beside its file while somebody looks, so that who looks may write into its folder.
        Where there is none yet it is an empty one that is kept nowhere; one of an older version is copied to there.
        """
        there = cls(url, is_made=False)
        if all(is_whole(there._engine, table) for table in (DELIVERIES, DEAD_LETTERS)):
            return there
        with there:
            copy = cls("sqlite://")
            for table in (DELIVERIES, DEAD_LETTERS):
                copy_rows(there._engine, copy._engine, table)
        return copy

    def _keep_private(self) -> None:
        if file := sqlite_file(self._engine.url):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            with suppress(PermissionError):  # another account's file: who may read it is theirs to say
                file.chmod(0o600)

    def close(self) -> None:
        """Give back the database's connections."""
        self._engine.dispose()

    def is_in(self, url: sa.URL) -> bool:
        """Whether the ledger is kept in this database."""
        return is_same_database(self._engine.url, url)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """What is noted in the block is noted in one transaction, in which the caller may write as well."""
        with self._engine.begin() as connection:
            self._joined = connection
            try:
                yield connection
            finally:
                self._joined = None

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self._joined is not None:
            yield self._joined
        else:
            with self._engine.begin() as connection:
                yield connection

    def of(self, account: str, target: str, keys: Iterable[str]) -> dict[str, Entry]:
        """The entries of these keys; a key that was never handed over has none."""
        wanted = list(keys)
        with self._engine.connect() as connection:
            return _of(connection, account, target, wanted)

    def targets(self, account: str) -> list[str]:
        """The targets that were ever handed something of this account, by name."""
        query = sa.select(DELIVERIES.c.target).where(DELIVERIES.c.account == account).distinct()
        with self._engine.connect() as connection:
            return sorted(connection.scalars(query))

    def keys(self, account: str, target: str, dates: Collection[date]) -> set[str]:
        """The keys of all records of these dates that were ever handed over."""
        table, days = DELIVERIES.c, sorted(set(dates))
        query = sa.select(table.key).where(table.account == account, table.target == target)
        with self._engine.connect() as connection:
            pieces = (days[start : start + _KEYS_PER_QUERY] for start in range(0, len(days), _KEYS_PER_QUERY))
            return {key for some in pieces for key in connection.scalars(query.where(table.partition.in_(some)))}

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
        query = entries(account, target).where(
            table.state == State.DELIVERED,
            table.answer.startswith(LEFT_OUT, autoescape=True),
            table.partition.between(min(days), max(days)),
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(table.partition, table.key)):
                if row.partition in days:
                    found.setdefault(row.partition, []).append(entry(row).left_out)
        return found

    def rejected(self, account: str, target: str, dates: Collection[date] | None = None) -> list[Entry]:
        """The entries that the target refuses, of these dates or of all, by date and key."""
        query = entries(account, target).where(DELIVERIES.c.state == State.REJECTED)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.partition, DELIVERIES.c.key))
            return [entry(row) for row in rows if dates is None or row.partition in set(dates)]

    def uncertain(
        self, account: str, target: str, dates: Collection[date], *, also: Collection[State] = ()
    ) -> list[Entry]:
        """The entries of these dates of which nobody knows whether they arrived, or in ``also``, by date and key."""
        days = set(dates)
        if not days:
            return []
        states = [state.value for state in State if state.is_uncertain or state in also]
        query = entries(account, target).where(
            DELIVERIES.c.state.in_(states), DELIVERIES.c.partition.between(min(days), max(days))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.partition, DELIVERIES.c.key))
            return [entry(row) for row in rows if row.partition in days]

    def settle(self, account: str, target: str, of: Entry, state: State, words: str, *, run_id: str) -> bool:
        """Note what a person says of a record in doubt; False where a run has changed its entry since it was read."""
        with self._writing() as connection:
            is_settled = ledger_rows.settle(connection, account, target, of, state, words, run_id=run_id)
            if is_settled and state is State.REJECTED:
                dead_letters.add_settled(connection, account, target, of, words, run_id=run_id)
        return is_settled

    def dead_letters(self, account: str, target: str, dates: Iterable[date] | None = None) -> list[DeadLetter]:
        """What the target refused, of these dates or of all, by date and key."""
        with self._engine.connect() as connection:
            return dead_letters.letters(connection, account, target, dates)

    def forget_payloads(self, account: str, *, before: datetime) -> int:
        """Drop the payloads that were refused last before this instant; returns how many."""
        with self._writing() as connection:
            return dead_letters.forget_payloads(connection, account, before=before)

    def forget(self, account: str, *, before: date) -> int:
        """Remove the records of dates before this one that are settled; returns how many.

        Should such a date be handed over again, it is handed over whole.
        """
        with self._writing() as connection:
            dead_letters.forget(connection, account, before=before)
            return ledger_rows.forget(connection, account, before=before)

    def retry_at(self, account: str, target: str, now: datetime) -> datetime | None:
        """Until when the target wants to be left alone; None where it may be called at ``now``."""
        table = DELIVERIES.c
        query = sa.select(sa.func.max(table.retry_at)).where(
            table.account == account, table.target == target, table.retry_at > now
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def begin(self, account: str, target: str, records: Sequence[Record], *, run_id: str) -> dict[str, int]:
        """Note, before the call, that these records are being handed over; returns which attempt it is of each."""
        with self._writing() as connection:
            ledger_rows.begin(connection, account, target, records, run_id=run_id)
            dead_letters.remove_changed(connection, account, target, records)
            begun = _of(connection, account, target, [record.key for record in records])
        return {key: entry.attempts for key, entry in begun.items()}

    def claim(self, account: str, target: str, record: Record, *, attempts: int | None, run_id: str) -> bool:
        """As ``begin`` for one record, unless another process has begun with it since ``attempts`` were counted."""
        with self._writing() as connection:
            claimed = ledger_rows.claim(connection, account, target, record, attempts=attempts, run_id=run_id)
            if claimed:
                dead_letters.remove_changed(connection, account, target, [record])
        return claimed

    def finish(
        self,
        account: str,
        target: str,
        results: Sequence[tuple[Record, Outcome]],
        *,
        attempts: Mapping[str, int | None],
        run_id: str,
        is_begun: bool = True,
        doubts: Mapping[str, str] | None = None,
        stay: Collection[str] = (),
    ) -> dict[str, Entry]:
        """Note what became of these records, also of those that were found at the target without being begun.

        Args:
            account: the account that the records are of.
            target: where they went.
            results: the records, and what became of each.
            attempts: by key, how often each was begun: what ``begin`` said, or what was read.
            run_id: the run that notes it, and that began where it ``is_begun``.
            is_begun: False where the records were found.
            doubts: by key, the hash of the content that is in doubt where it is not the record's.
            stay: the keys of those that stay delivered as they were, whatever became of them now.

        Returns:
            The entries that were left as they stand: a person has settled them, or another run has begun with them.
        """
        with self._writing() as connection:
            ledger_rows.finish(
                connection,
                account,
                target,
                results,
                attempts=attempts,
                run_id=run_id,
                is_begun=is_begun,
                doubts=doubts,
                stay=stay,
            )
            now = _of(connection, account, target, [record.key for record, _ in results])
            stand = {key: e for key, e in now.items() if (e.run_id, e.attempts) != (run_id, attempts[key] or 0)}
            noted = [(record, outcome) for record, outcome in results if record.key not in stand]
            delivered = [record for record, outcome in noted if outcome.state is State.DELIVERED]
            refused = [(r, shortened(outcome.answer)) for r, outcome in noted if outcome.state is State.REJECTED]
            dead_letters.remove(connection, account, target, delivered)
            dead_letters.add(connection, account, target, refused, run_id=run_id)
        return stand

    def postpone(
        self,
        account: str,
        target: str,
        results: Sequence[tuple[Record, Outcome]],
        *,
        attempts: Mapping[str, int | None],
        run_id: str,
    ) -> None:
        """Note that these records were not tried; one that another process began since ``attempts`` is its to note."""
        with self._writing() as connection:
            ledger_rows.postpone(connection, account, target, results, attempts=attempts, run_id=run_id)


def _of(connection: sa.Connection, account: str, target: str, keys: Sequence[str]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for start in range(0, len(keys), _KEYS_PER_QUERY):
        some = DELIVERIES.c.key.in_(keys[start : start + _KEYS_PER_QUERY])
        found.update((row.key, entry(row)) for row in connection.execute(entries(account, target).where(some)))
    return found
