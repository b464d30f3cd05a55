"""The three forms of an export, each made of the same frames. The same frames make the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from sitoo_pipeline.reporting.errors import FormatError, TooManyRowsError

_COUNT_FORMAT, _MONEY_FORMAT, _QUANTITY_FORMAT = "#,##0", "#,##0.00", "#,##0.000"
_DATE_FORMAT, _INSTANT_FORMAT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
_XLSX_ROWS = 1_048_575
_XLSX_NAME = 31


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


def format_named(name: str) -> Format:
    """The format of this name.

    Raises:
        FormatError: there is none.
    """
    try:
        return Format(name.lower())
    except ValueError:
        known = ", ".join(Format)
        raise FormatError(f"--format {name}: there is no such format; there are: {known}") from None


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Comma, dot, header; dates as 2026-03-31, instants as 2026-03-31T12:00:00Z, by the shop's clock without the Z."""
    instants = [
        pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S" + ("Z" if kind.time_zone else ""))
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime)
    ]
    frame.with_columns(instants).write_csv(path)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Amounts as decimals, instants in UTC, by the shop's clock without a zone."""
    frame.write_parquet(path, compression="zstd", statistics=True)


def write_xlsx(frames: Mapping[str, pl.DataFrame], about: Sequence[tuple[str, str]], path: Path) -> None:
    """A sheet ``about``, and one per table. Excel knows no zones, so the heading of an instant says which it is.

    Raises:
        TooManyRowsError: a table has more rows than a sheet can hold.
    """
    for name, frame in frames.items():
        if frame.height > _XLSX_ROWS:
            raise TooManyRowsError(name, frame.height, _XLSX_ROWS)
    with xlsxwriter.Workbook(path) as book:
        # Otherwise the time at which it was written is in the file.
        book.set_properties({"created": datetime(2000, 1, 1), "title": "Sales of a Sitoo POS chain"})  # noqa: DTZ001
        sheet = book.add_worksheet("about")
        bold = book.add_format({"bold": True})
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 100)
        for row, (what, said) in enumerate(about):
            sheet.write_string(row, 0, what, bold)
            sheet.write_string(row, 1, said)
        for name, frame in frames.items():
            _plain(frame).write_excel(
                book, name.partition(".")[2][:_XLSX_NAME], column_formats=_column_formats(frame), freeze_panes=(1, 0),
                table_style="Table Style Light 1", autofit=True,
            )  # fmt: skip


def _heading(name: str, kind: pl.DataType) -> str:
    return f"{name} (UTC)" if isinstance(kind, pl.Datetime) and kind.time_zone else name


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Without zones: a cell of a sheet has none."""
    return frame.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None)).rename(
        {name: _heading(name, kind) for name, kind in frame.schema.items()}
    )


def _column_formats(frame: pl.DataFrame) -> dict[Any, str]:
    found = {}
    for name, kind in frame.schema.items():
        if isinstance(kind, pl.Decimal):
            found[_heading(name, kind)] = _MONEY_FORMAT if kind.scale == 2 else _QUANTITY_FORMAT
        elif isinstance(kind, pl.Datetime):
            found[_heading(name, kind)] = _INSTANT_FORMAT
        elif kind == pl.Date:
            found[name] = _DATE_FORMAT
        elif kind.is_integer():
            found[name] = _COUNT_FORMAT if "id" not in name.split("_") else "0"
    return found
