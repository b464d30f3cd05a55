"""What can be wrong with what was asked for, or with the place it was to be written to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class UnknownTableError(ValueError):
    """A table that is none of the marts."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"--table {name}: there is no such table to export; there are: {', '.join(known)}")


class FormatError(ValueError):
    """A format that there is not."""


class TooManyRowsError(ValueError):
    """A sheet cannot hold a table."""

    def __init__(self, table: str, rows: int, most: int) -> None:
        super().__init__(
            f"{table} has {rows} rows of this period, and a sheet of XLSX holds {most}; take a shorter period, "
            "or --format parquet or csv"
        )


class OutputError(RuntimeError):
    """The file or folder cannot be written there. Nothing was left behind."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be written: {why}; name another place with --output. Nothing was left there")
