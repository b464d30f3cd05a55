"""How many threads DuckDB works with while rows are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def one_thread(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Within the block DuckDB works with one thread, for every connection to the file.

    Rows are appended in the order in which they are given, in less processor time than several threads need, and each
    further thread would fill a row group of its own in memory.
    """
    with con.cursor() as beside:  # what fails within a transaction refuses every statement until it is rolled back
        beside.execute("SET threads = 1")
        try:
            yield
        finally:
            beside.execute("RESET threads")
