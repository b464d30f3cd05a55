"""What the SQL target and the ledger share: opening a database, its tables, the upsert of its dialect.

SQLite and PostgreSQL are tried against real servers. MySQL, MariaDB and SQL Server can hold a SQL target; their SQL is
written and compiled, and was never run on a real server. How rows are written there is in ``upserts``.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

Upsert = sqlite.Insert | postgresql.Insert

_INSERT: dict[str, type[Upsert]] = {"sqlite": sqlite.Insert, "postgresql": postgresql.Insert}


TRIED = ("sqlite", "postgresql")
"""Databases that the tests run on."""

KINDS = (*TRIED, "mysql", "mariadb", "mssql")
"""Databases that a SQL target can be in."""

_CONNECT_ARGS = {"sqlite": {"timeout": 30}, "mssql": {"timeout": 10}}


class DatabaseUrlError(ValueError):
    """A database URL that cannot be used, with what would be right."""

    safe_to_show = True


def open_engine(url: str, *, kinds: Collection[str] = KINDS) -> sa.Engine:
    """An engine for ``url``, whose errors never show values of rows. Nothing is opened yet.

    ``postgresql://`` and ``postgres://`` mean the psycopg driver, ``mysql://`` and ``mariadb://`` PyMySQL. ``kinds``
    are the databases that will do.

    Raises:
        DatabaseUrlError: where the URL is no SQLAlchemy URL, or names a database that is not supported.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is a plain ValueError
        raise DatabaseUrlError(
            "a database URL looks like sqlite:///weekly_balance.db or postgresql://user:password@host/database"
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    dialect = parsed.get_backend_name()
    if parsed.drivername in ("mysql", "mariadb"):
        parsed = parsed.set(drivername=f"{dialect}+pymysql")
    if dialect not in kinds:
        raise DatabaseUrlError(f"databases of the kind {dialect!r} are not supported here: use {', '.join(kinds)}")
    connect_args = _CONNECT_ARGS.get(dialect, {"connect_timeout": 10})
    try:
        return sa.create_engine(parsed, hide_parameters=True, connect_args=connect_args)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUrlError(f"the driver of {parsed.drivername!r} is not installed: {error}") from None


def open_own_engine(url: str) -> sa.Engine:
    """As ``open_engine``, for what the pipeline notes itself, in a database that the tests run on.

    A commit to a SQLite file is on the disk when it returns, whichever way SQLite was built.

    Raises:
        DatabaseUrlError: as ``open_engine``.
    """
    engine = open_engine(url, kinds=TRIED)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _commit_to_disk)
    return engine


def _commit_to_disk(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous = FULL")


def write_ahead(engine: sa.Engine) -> None:
    """Let a SQLite file have a log: a commit then waits for the disk once, without one three or four times.

    The file keeps it for all who open it. It stays without where another program has it open right now.
    """
    if sqlite_file(engine.url):
        with suppress(OperationalError), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def sqlite_file(url: sa.URL) -> Path | None:
    """The file of a SQLite database; None of any other, and of one in memory."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)).absolute() if is_file else None


def is_same_database(one: sa.URL, other: sa.URL) -> bool:
    """Whether both name the same database, reached in the same way."""
    if sqlite_file(one) or sqlite_file(other):
        return sqlite_file(one) == sqlite_file(other)
    return one == other and one.get_backend_name() != "sqlite"


def create_table(engine: sa.Engine, table: sa.Table) -> None:
    """Create ``table`` and its indexes where they are missing, and columns that an older version's table lacks.

    Only columns that may be null come to a table that is there. The folder of a SQLite file is made.
    """
    if file := sqlite_file(engine.url):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with engine.begin() as connection:
        create_table_within(connection, table)


def create_table_within(connection: sa.Connection, table: sa.Table) -> None:
    """As ``create_table``, in the caller's transaction."""
    if connection.dialect.name == "mssql":  # it knows no IF NOT EXISTS
        table.create(connection, checkfirst=True)
        return
    connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
    for index in table.indexes:
        connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in there and column.nullable:
            said = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
            connection.execute(sa.text(f"ALTER TABLE {table.name} ADD COLUMN {said}"))


def has_table(engine: sa.Engine, table: sa.Table) -> bool:
    """Whether the table is there; looking makes nothing, not even the file of a database."""
    file = sqlite_file(engine.url)
    if file and not file.exists():
        return False
    return sa.inspect(engine).has_table(table.name)


def is_whole(engine: sa.Engine, table: sa.Table) -> bool:
    """Whether the table is there with all of its columns; looking makes nothing."""
    return has_table(engine, table) and {column.name for column in table.columns} <= _columns_there(engine, table)


def copy_rows(source: sa.Engine, to: sa.Engine, table: sa.Table) -> None:
    """Copy what one database has of a table into another one's; a column that it lacks stays empty there."""
    if not has_table(source, table):
        return
    there = _columns_there(source, table)
    with source.connect() as reading, to.begin() as writing:
        rows = reading.execute(sa.select(*(column for column in table.columns if column.name in there))).mappings()
        if values := [dict(row) for row in rows]:
            writing.execute(sa.insert(table), values)


def _columns_there(engine: sa.Engine, table: sa.Table) -> set[str]:
    return {column["name"] for column in sa.inspect(engine).get_columns(table.name)}


def insert_into(connection: sa.Connection | sa.Engine, table: sa.Table) -> Upsert:
    """The dialect's own INSERT, the one that knows ``ON CONFLICT``."""
    return _INSERT[connection.dialect.name](table)
