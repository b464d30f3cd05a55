"""Which business date each staged object belongs to, good or refused.

What decides it is a fact of the API and of the account's stores, and is given by the caller; here the objects are
handed over and the dates taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import duckdb
import polars as pl

from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.warehouse.quarantine import quarantined_elsewhere
from sitoo_pipeline.warehouse.staging import Refused, stage_refused

Dating = Callable[[pl.DataFrame], pl.DataFrame]
"""Takes the hints of each object (with ``_object``, its number), gives them back with ``business_date``."""


def date_objects(con: duckdb.DuckDBPyConnection, hints: Sequence[Column], dating: Dating) -> None:
    """Fill the temporary table ``incoming`` with the objects of ``staged``, each with its ``business_date``."""
    con.register("dates_of_objects", _dates(con, "staged", hints, dating).to_arrow())
    con.execute(
        "CREATE OR REPLACE TEMP TABLE incoming AS "
        "SELECT s.*, d.business_date FROM staged AS s JOIN dates_of_objects AS d USING (_object)"
    )
    con.unregister("dates_of_objects")


def dates_of_refused(
    con: duckdb.DuckDBPyConnection, table: RawTable, hints: Sequence[Column], dating: Dating, refused: Sequence[Refused]
) -> list[date | None]:
    """The business date of each of ``refused``, None where it tells none."""
    stage_refused(con, table, refused, hints)
    dated: dict[int, date] = dict(_dates(con, "refused", hints, dating).iter_rows())
    return [dated.get(number) for number in range(len(refused))]


def refused_by_date(
    con: duckdb.DuckDBPyConnection,
    table: RawTable,
    hints: Sequence[Column],
    dating: Dating,
    refused: Sequence[Refused],
    dates: Sequence[date],
) -> dict[date, list[Refused]]:
    """The refused objects of ``dates``, by date.

    One that tells no date comes back in the bodies of many periods; it stands once, with the first date that met it.
    """
    if not refused:
        return {}
    dated = dates_of_refused(con, table, hints, dating, refused)
    elsewhere = quarantined_elsewhere(con, table, dates)
    found: dict[date, list[Refused]] = {}
    for item, day in zip(refused, dated, strict=True):
        if day is None and item.payload not in elsewhere:
            day = min(dates)
        if day is not None and day in dates:
            found.setdefault(day, []).append(item)
    return found


def _dates(con: duckdb.DuckDBPyConnection, relation: str, hints: Sequence[Column], dating: Dating) -> pl.DataFrame:
    """``_object`` and ``business_date`` of the objects in ``relation`` that have a value for their clock."""
    asked = ", ".join([*(f'"hint {hint.name}" AS "{hint.name}"' for hint in hints), "_object"])
    return dating(con.sql(f"SELECT {asked} FROM {relation} WHERE _clocked").pl()).select("_object", "business_date")
