"""Column types that hold the same on every database: money exactly, instants in UTC, texts letter by letter."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql
from sqlalchemy.types import TypeEngine, UserDefinedType

_CENT = Decimal("0.01")
_SQLITE_LIMIT = Decimal("1e13")  # SQLite keeps 15 significant digits of a number


KeyText = (
    sa.String()
    .with_variant(mysql.VARCHAR(191, collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(mssql.NVARCHAR(100, collation="Latin1_General_100_BIN2"), "mssql")
)
"""Text of a key. MySQL and SQL Server index texts of a limited length only, and by default take ``a`` for ``A``."""


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
    """An aware UTC datetime; SQLite and MySQL, whose columns know no zones, keep the UTC wall clock."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """The column's type in this dialect, to the microsecond."""
        return mysql.DATETIME(fsp=6) if dialect.name in ("mysql", "mariadb") else sa.DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The instant as the driver takes it."""
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name in ("mysql", "mariadb") else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
