"""What the SQL target and the ledger share: opening a database, the upsert of its dialect, exact column types.

Supported are SQLite and PostgreSQL. SQLAlchemy has no upsert for SQL Server, and that of MySQL and MariaDB knows no
condition; they are refused by name until they are written and tried.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.types import TypeEngine, UserDefinedType

Upsert = sqlite.Insert | postgresql.Insert

_INSERT: dict[str, type[Upsert]] = {"sqlite": sqlite.Insert, "postgresql": postgresql.Insert}
_CENT = Decimal("0.01")
_SQLITE_LIMIT = Decimal("1e13")  # SQLite keeps 15 significant digits of a number


class DatabaseUrlError(ValueError):
    """A database URL that cannot be used, with what would be right."""


def open_engine(url: str) -> sa.Engine:
    """An engine for ``url``, whose errors never show values of rows. Nothing is opened yet.

    ``postgresql://`` and ``postgres://`` mean the psycopg driver. The folder of a SQLite file is made.

    Raises:
        DatabaseUrlError: where the URL is no SQLAlchemy URL, or names a database that is not supported.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise DatabaseUrlError(
            "a database URL looks like sqlite:///weekly_balance.db or postgresql://user:password@host/database"
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    dialect = parsed.get_backend_name()
    if dialect not in _INSERT:
        raise DatabaseUrlError(f"databases of the kind {dialect!r} are not supported yet: use sqlite or postgresql")
    if dialect == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connect_args = {"timeout": 30} if dialect == "sqlite" else {"connect_timeout": 10}
    try:
        return sa.create_engine(parsed, hide_parameters=True, connect_args=connect_args)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUrlError(f"the driver of {parsed.drivername!r} is not installed: {error}") from None


def create_table(engine: sa.Engine, table: sa.Table) -> None:
    """Create ``table`` and its indexes where they are missing."""
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def insert_into(engine: sa.Engine, table: sa.Table) -> Upsert:
    """The dialect's own INSERT, the one that knows ``ON CONFLICT``."""
    return _INSERT[engine.dialect.name](table)


class _SqliteNumeric(UserDefinedType[Any]):
    """``NUMERIC(18, 2)`` as SQLite understands it, without a detour over binary floats in Python."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "NUMERIC(18, 2)"


class Money(sa.types.TypeDecorator[Decimal]):
    """``NUMERIC(18, 2)``, read as exactly the Decimal that was written.

    SQLite has no decimals. A column of numeric affinity keeps such an amount as a number, which sorts, compares and
    adds up in any client; text would show the trailing zero and answer ``gross_sales > 100`` wrongly. Fifteen
    significant digits survive, so an amount from ten trillion on is refused there instead of being rounded.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(18, 2)

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """The column's type in this dialect."""
        return _SqliteNumeric() if dialect.name == "sqlite" else sa.Numeric(18, 2)

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        """The amount as the driver takes it."""
        if value is None or dialect.name != "sqlite":
            return value
        if abs(value) >= _SQLITE_LIMIT:
            raise ValueError("SQLite cannot hold an amount of ten trillion or more exactly: use PostgreSQL")
        return format(value, "f")

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        """The amount as it was written."""
        return None if value is None else Decimal(str(value)).quantize(_CENT)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which knows no zones, keeps the UTC wall clock."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The instant as the driver takes it."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
