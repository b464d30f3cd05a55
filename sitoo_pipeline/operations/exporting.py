"""``export``: tables of the marts of one or more accounts, one file per table, or one with a sheet per table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.reporting import Look, Period, read_parts, remarks
from sitoo_pipeline.reporting.errors import OutputError
from sitoo_pipeline.reporting.export import read_table, tables_named
from sitoo_pipeline.reporting.files import check_place, write_whole
from sitoo_pipeline.reporting.formats import Format, format_named, write_csv, write_parquet, write_xlsx
from sitoo_pipeline.reporting.page import AccountPart
from sitoo_pipeline.tables import Table

_WRITERS = {Format.CSV: write_csv, Format.PARQUET: write_parquet}


@dataclass(frozen=True)
class Written:
    """The files of an export, the rows of each table, and how far the figures can be trusted."""

    paths: Sequence[Path]
    rows: Mapping[str, int]
    parts: Sequence[AccountPart]


def write_export(period: Period, form: str, names: Sequence[str], output: Path | None) -> Written:
    """Write the tables called ``names`` (the usual ones without any) in the format ``form``.

    ``output`` is a file, or for several tables as CSV or Parquet a folder, which is made where it is missing.

    Raises:
        FormatError, UnknownTableError, RangeError: what was asked for makes no sense.
        NothingLoadedError: there is nothing to export. Nothing was written.
        OutputError: it cannot be written there.
        TooManyRowsError: a sheet cannot hold a table.
        WarehouseLockedError: a load has a warehouse, and there is no read copy of it yet.
    """
    wanted, tables = format_named(form), tables_named(names)
    paths = _places(period, wanted, tables, output)
    found: dict[str, list[pl.DataFrame]] = {table.qualified: [] for table in tables}

    def read(look: Look) -> None:
        zones = Runtime.of(look.account).store_timezones
        for table in tables:
            frame = read_table(look.con, table, look.dates, timezone=look.account.timezone, zones=zones)
            found[table.qualified].append(frame)

    parts = read_parts(period, read)
    frames = {name: pl.concat(of_accounts) for name, of_accounts in found.items()}
    if wanted is Format.XLSX:
        about = _about(period, parts)
        write_whole(paths[0], lambda path: write_xlsx(frames, about, path))
    else:
        _make(paths[0].parent)
        for path, frame in zip(paths, frames.values(), strict=True):
            write_whole(path, lambda fresh, frame=frame: _WRITERS[wanted](frame, fresh))  # type: ignore[misc]
    return Written(paths, {name: frame.height for name, frame in frames.items()}, parts)


def _places(period: Period, form: Format, tables: Sequence[Table], output: Path | None) -> list[Path]:
    span = f"{period.first}_{period.last}"
    if form is Format.XLSX or len(tables) == 1:
        name = "sales" if form is Format.XLSX else tables[0].name
        path = output or Path(f"{name}_{span}.{form}")
        check_place(path)
        return [path]
    folder = output or Path(f"sales_{span}")
    if not folder.is_dir():
        check_place(folder)
    return [folder / f"{table.name}.{form}" for table in tables]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(folder, error.strerror or str(error)) from error


def _about(period: Period, parts: Sequence[AccountPart]) -> list[tuple[str, str]]:
    """What has to be known of the figures, for the first sheet."""
    lacking = remarks(parts)
    return [
        ("Period", f"{period.first} to {period.last}, business dates by the clock of each shop"),
        ("Accounts", ", ".join(part.name for part in parts)),
        *(("Dates", f"{part.name}: {part.loaded}") for part in parts),
        *(("To know", remark) for remark in lacking),
        (
            "Amounts",
            "in the currency of their row, never added across two; gross_sales include VAT and are before returns",
        ),
        (
            "Instants",
            "(UTC) in a heading means coordinated universal time; a column ..._local has the shop's own clock",
        ),
    ]
