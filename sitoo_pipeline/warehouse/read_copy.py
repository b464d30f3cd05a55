"""The copy for readers without personal data: every table and column, customers as salted hashes, nothing else of them.

It is a file of its own, never a copy of the warehouse with values taken out: what DuckDB deletes can stay in a file's
free blocks. The last copy is taken over, and only the dates of a table that differ from it are written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import duckdb

from sitoo_pipeline.tables import ALL_TABLES, Table
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import FieldType, ObjectList
from sitoo_pipeline.warehouse.migrations import SCHEMA_VERSION
from sitoo_pipeline.warehouse.threads import one_thread

SALT_NAME = "customers.salt"
_AS = "published"
_DATE = "business_date"
_MEMORY = "256MB"
"""More makes a new copy no sooner: what DuckDB has read and written, it keeps only until so much is full."""

_MERGES_EVERY = 8
"""Of so many publications one merges small row groups, as in ``raw``: readers wait for it."""

_ROWS_AT_ONCE = 500_000
"""A new copy is written in pieces. Much larger ones take too much memory; ones below a row group are written twice."""

Fingerprints = dict[date | None, tuple[int, int]]
"""For each date of a table (None: without one), how many rows there are and which."""

_WIDE, _MANY = "raw", 20_000
"""The layer whose rows are whole objects, and how many are worth it: two threads, each with row groups of its own,
take 100 MB more for them, in the same processor time."""


def salt_of(folder: Path) -> str:
    """The account's salt, made at random when it is first asked for, readable by its owner alone.

    Whoever has it can find out which hash is whose, by trying; without it the hashes of one customer before and after
    differ. So it is kept, and belongs to a backup.
    """
    path = folder / SALT_NAME
    if not path.exists():
        fresh = path.with_name(f".{path.name}.new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    return path.read_text(encoding="ascii").strip()


@dataclass(frozen=True)
class _Last:
    """The last copy: how often it was published since it was made, and what each table had then, as far as is known."""

    publications: int
    holds: Mapping[str, Fingerprints]


@dataclass(frozen=True)
class ReadCopy:
    """The copy at ``path`` of an account's warehouse."""

    path: Path

    @property
    def _fresh(self) -> Path:
        return self.path.with_name(f".{self.path.name}.new")

    @property
    def _note(self) -> Path:
        """What the last copy was when it was published: a changed one is not taken over, nor is one read to compare."""
        return self.path.with_name(f".{self.path.name}.json")

    def publish(self, con: duckdb.DuckDBPyConnection) -> None:
        """Bring the copy up to the warehouse that is open as ``con``, and put it in place by a rename."""
        salt = salt_of(self.path.parent)
        kind = _kind(salt)
        fresh = self._fresh
        _remove(fresh)
        last = self._last(kind)
        is_new = not last.publications
        con.execute(f"SET memory_limit = '{_MEMORY}'")
        with ThreadPoolExecutor(max_workers=1) as beside:
            copied = None if is_new else beside.submit(shutil.copyfile, self.path, fresh)
            wanted = {table.qualified: _fingerprints(con, table, "") for table in ALL_TABLES}
            if copied:
                copied.result()
        con.execute(f"ATTACH '{_quoted(str(fresh))}' AS {_AS}")
        try:
            con.execute("SET VARIABLE customer_salt = $salt", {"salt": salt})
            if is_new:
                _make_tables(con)
            for table in ALL_TABLES:
                there = last.holds.get(table.qualified)
                there = _fingerprints(con, table, f"{_AS}.") if there is None else there
                _bring_up_to_date(con, table, there, wanted[table.qualified])
            is_merging = last.publications % _MERGES_EVERY == _MERGES_EVERY - 1
            con.execute(f"SET max_vacuum_tasks = {int(is_merging)}")  # small row groups, once for each table
            con.execute(f"CHECKPOINT {_AS}")
        finally:
            con.execute("RESET VARIABLE customer_salt")
            con.execute(f"DETACH {_AS}")
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        # A reader that opened the last copy for writing may have left a log, which DuckDB would add to this copy.
        _log_of(self.path).unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        fresh.replace(self.path)
        self._write_note(kind, _Last(last.publications + 1, wanted))

    def _write_note(self, kind: str, last: _Last) -> None:
        holds = {
            name: [(str(day or ""), *of_day) for day, of_day in found.items()] for name, found in last.holds.items()
        }
        noted = {"kind": kind, **_stamp(self.path), "publications": last.publications}
        noted |= {"duckdb": duckdb.__version__, "holds": holds}
        self._note.write_text(json.dumps(noted), encoding="ascii")

    def _last(self, kind: str) -> _Last:
        """What is known of the last copy: nothing where it is another or no more as it was then."""
        try:
            noted = json.loads(self._note.read_text(encoding="ascii"))
            publications = int(noted.pop("publications", 1))
            is_of_this_duckdb = noted.pop("duckdb", None) == duckdb.__version__  # each hashes in its own way
            holds = {
                name: {date.fromisoformat(day) if day else None: (rows, added) for day, rows, added in found}
                for name, found in noted.pop("holds", {}).items()
            }
            is_as_published = noted == {"kind": kind, **_stamp(self.path)} and not _log_of(self.path).exists()
        except (OSError, ValueError, TypeError, AttributeError):
            return _Last(0, {})
        return _Last(publications, holds if is_of_this_duckdb else {}) if is_as_published else _Last(0, {})


@cache
def _kind(salt: str) -> str:
    """What a copy of this salt, of these tables and of this way to leave out is known by."""
    made = [_selected(table.all_columns) + table.ddl for table in ALL_TABLES]
    return hashlib.sha256("\n".join([salt, str(SCHEMA_VERSION), *made]).encode()).hexdigest()


def _stamp(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "inode": found.st_ino}


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _remove(path: Path) -> None:
    for one in (path, _log_of(path)):
        one.unlink(missing_ok=True)


def _make_tables(con: duckdb.DuckDBPyConnection) -> None:
    for layer in dict.fromkeys(table.layer for table in ALL_TABLES):
        con.execute(f"CREATE SCHEMA {_AS}.{layer}")
    for table in ALL_TABLES:
        con.execute(table.ddl.replace(f" {table.qualified} ", f" {_AS}.{table.qualified} ", 1))


def _bring_up_to_date(con: duckdb.DuckDBPyConnection, table: Table, there: Fingerprints, wanted: Fingerprints) -> None:
    """Write again the dates of ``table`` that differ, or the whole of a table without dates."""
    differing = sorted(
        (day for day in {*there, *wanted} if there.get(day) != wanted.get(day)), key=lambda day: day or date.min
    )
    columns = ", ".join(f'"{column.name}"' for column in table.all_columns)
    rows = {day: number for day, (number, _) in wanted.items()}
    for piece in _pieces(differing, rows):
        condition = _is_of(table, piece)
        # Half a piece would be thrown away with the file: nothing has to be undone.
        if any(day in there for day in piece):
            con.execute(f"DELETE FROM {_AS}.{table.qualified} WHERE {condition}")
        is_large = table.layer == _WIDE and sum(rows.get(day, 0) for day in piece) > _MANY
        with one_thread(con) if is_large else nullcontext():
            con.execute(
                f"INSERT INTO {_AS}.{table.qualified} ({columns}) SELECT {_selected(table.all_columns)} "
                f"FROM {table.qualified} WHERE {condition}"
            )


def _fingerprints(con: duckdb.DuckDBPyConnection, table: Table, database: str) -> Fingerprints:
    """The fingerprint of each date: a row that changes gets another ``_loaded_at``."""
    told = [*table.key, "_loaded_at"] if table.audited and table.key else [
        column.name for column in table.all_columns if not _is_redacted(column)
    ]  # fmt: skip
    day = _DATE if _has_dates(table) else "NULL::DATE"
    hashed = ", ".join(f'"{name}"' for name in told)
    rows = con.execute(
        f"SELECT {day} AS day, count(*), sum(hash({hashed})) FROM {database}{table.qualified} GROUP BY day"
    ).fetchall()
    return {found: (number, added) for found, number, added in rows}


def _has_dates(table: Table) -> bool:
    return _DATE in table.names


def _pieces(days: Iterable[date | None], rows: Mapping[date | None, int]) -> Iterator[list[date | None]]:
    piece: list[date | None] = []
    for day in days:
        if piece and sum(rows.get(one, 0) for one in [*piece, day]) > _ROWS_AT_ONCE:
            yield piece
            piece = []
        piece.append(day)
    if piece:
        yield piece


def _is_of(table: Table, days: Sequence[date | None]) -> str:
    if not _has_dates(table):
        return "true"
    listed = ", ".join(f"DATE '{day}'" for day in days if day)
    parts = [f"{_DATE} IN ({listed})"] if listed else []
    return " OR ".join([*parts, f"{_DATE} IS NULL"] if None in days else parts)


def _is_redacted(column: Column) -> bool:
    return column.personal or column.customer


def _selected(columns: Iterable[Column]) -> str:
    return ", ".join(_expression(column) for column in columns)


def _expression(column: Column) -> str:
    """The column as the copy has it."""
    name = f'"{column.name}"'
    if not _is_redacted(column):
        return name
    if column.customer:
        said = f"nullif(lower(trim({name})), '')"
        return f"left(sha256(getvariable('customer_salt') || ' {column.name} ' || {said}), 32)"
    if isinstance(column.type, ObjectList):
        return _without_personal(name, column.type)
    if not column.nullable:
        return "'{}'"  # the one that there is holds JSON
    return f"NULL::{column.type.sql}"


def _without_personal(value: str, kind: FieldType, depth: int = 0) -> str:
    """A list of objects whose personal fields are empty, in lists within it too."""
    assert isinstance(kind, ObjectList)
    one = f"o{depth}"
    parts = []
    for name, field in kind.fields:
        found = f'{one}."{name}"'
        if isinstance(field, ObjectList) and field.is_personal:
            found = _without_personal(found, field, depth + 1)
        elif name in kind.personal:
            found = f"NULL::{field.sql}"
        parts.append(f'"{name}" := {found}')
    return f"[struct_pack({', '.join(parts)}) FOR {one} IN {value}]"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
