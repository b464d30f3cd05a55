"""Dagster's records of runs in SQLite, with the connection kept open: for runs in this process.

Dagster makes an engine and opens the file for each of some ninety looks that it takes at one run's record.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from dagster._core.storage.runs import SqliteRunStorage


class KeptOpenRuns(SqliteRunStorage):
    """``SqliteRunStorage`` of a file that is there, which it opens once. Closed by ``dispose``."""

    def __init__(self, conn_string: str) -> None:
        self._engine = sa.create_engine(conn_string, pool_reset_on_return=None)  # each ends its transaction
        super().__init__(conn_string)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in a transaction, which ends with the block."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        self._engine.dispose()
        super().dispose()
