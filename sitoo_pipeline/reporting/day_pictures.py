"""The pictures of single business dates: sales per hour and place beside the same weekday a week before, and per date.

What is drawn is what the warehouse holds at that moment; a week before that is loaded later is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import polars as pl

from sitoo_pipeline.reporting.figures import WEEK, dates_listed
from sitoo_pipeline.reporting.panels import Panel, draw_panels
from sitoo_pipeline.reporting.wording import weekday

PLACES = 12
"""Most places in a picture. The smaller ones of a larger chain are added up in one chart per currency."""

_HOURS = "SELECT store_id, store_name, currency, business_date, local_hour AS slot, gross_sales FROM marts.hourly_sales"
_DATES = "SELECT store_id, store_name, currency, business_date, 0 AS slot, gross_sales FROM marts.daily_sales"

Sold = dict[tuple[date, int], Decimal]
Axis = Sequence[tuple[date, int]]


def pictures_of_hours(
    con: duckdb.DuckDBPyConnection, dates: Iterable[date], *, loaded: frozenset[date]
) -> dict[date, str]:
    """An SVG for each of ``dates``: gross sales per local hour and store, all channels; none for a date without sales.

    Args:
        con: A connection to the warehouse.
        dates: Business dates.
        loaded: The dates that are loaded: on these, an hour without a row is one without sales.
    """
    wanted = sorted(dates)
    rows = _read(con, _HOURS, {*wanted, *(day - WEEK for day in wanted)})

    def draw(day: date, sold: pl.DataFrame) -> str:
        hours = range(int(sold["slot"].min()), int(sold["slot"].max()) + 1)  # type: ignore[arg-type]
        return draw_panels(
            f"Gross sales per hour and store, {weekday(day)}",
            _panels(sold, [(day, hour) for hour in hours], [(day - WEEK, hour) for hour in hours], loaded),
            [f"{hour:02d}" for hour in hours],
            now=weekday(day),
            before=f"{weekday(day - WEEK)}{_gaps([day - WEEK], loaded)}",
        )

    return _drawn(rows, wanted, lambda day: [day, day - WEEK], draw)


def pictures_of_dates(
    con: duckdb.DuckDBPyConnection, dates: Iterable[date], *, loaded: frozenset[date]
) -> dict[date, str]:
    """An SVG for each of ``dates``: gross sales per store of the seven days up to it, beside the seven before them.

    Arguments as ``pictures_of_hours``.
    """
    wanted = sorted(dates)
    rows = _read(con, _DATES, {day for last in wanted for day in _days(last, 14)})

    def draw(last: date, sold: pl.DataFrame) -> str:
        days = _days(last, 7)
        return draw_panels(
            f"Gross sales per date and store, seven days to {weekday(last)}",
            _panels(sold, [(day, 0) for day in days], [(day - WEEK, 0) for day in days], loaded),
            [f"{day:%a}" for day in days],
            now=f"{days[0]} to {last}{_gaps(days, loaded)}",
            before=f"the seven days before{_gaps([day - WEEK for day in days], loaded)}",
        )

    return _drawn(rows, wanted, lambda last: _days(last, 14), draw)


def _days(last: date, number: int) -> list[date]:
    """So many dates up to ``last``."""
    return [last - timedelta(days=back) for back in reversed(range(number))]


def _gaps(days: Sequence[date], loaded: frozenset[date]) -> str:
    if loaded.issuperset(days):
        return ""
    return " (not all loaded)" if len(days) > 1 else " (not loaded)"


def _read(con: duckdb.DuckDBPyConnection, query: str, dates: Iterable[date]) -> pl.DataFrame:
    """The rows of ``dates``, summed over channels, in a fixed order."""
    return con.sql(
        f"SELECT store_id, currency, business_date, slot, max(store_name) AS name, sum(gross_sales) AS gross "
        f"FROM ({query} WHERE business_date IN ({dates_listed(dates)})) GROUP BY ALL ORDER BY ALL"
    ).pl()


def _drawn(
    rows: pl.DataFrame,
    dates: Sequence[date],
    needs: Callable[[date], Sequence[date]],
    draw: Callable[[date, pl.DataFrame], str],
) -> dict[date, str]:
    by_date = {key[0]: part for key, part in rows.partition_by("business_date", as_dict=True).items()}
    return {
        day: draw(day, pl.concat([by_date[each] for each in needs(day) if each in by_date]))
        for day in dates
        if day in by_date
    }


def _panels(sold: pl.DataFrame, now: Axis, before: Axis, loaded: frozenset[date]) -> list[Panel]:
    """The places in order of currency and store; one without sales now or before has no chart."""
    places: dict[tuple[str, str], Sold] = {}
    names: dict[str, str] = {}
    for store, currency, day, at, name, gross in sold.iter_rows():
        places.setdefault((currency, store), {})[day, at] = gross
        names[store] = name or names.get(store, "")
    found, currencies = [], sorted({currency for currency, _ in places})
    more = max(0, PLACES - len(currencies))
    for currency in currencies:
        here = {store: of for (money, store), of in sorted(places.items()) if money == currency}
        # One of each currency, and of the others each currency's share.
        most = 1 + more * (len(here) - 1) // max(1, len(places) - len(currencies))
        chosen = list(here) if len(here) <= most else sorted(here, key=lambda store: -sum(here[store].values()))
        alone = sorted(chosen[: most if len(here) <= most else most - 1])
        rest = [here[store] for store in here if store not in alone]
        charts = [(_named(store, names[store]), [here[store]]) for store in alone]
        charts += [(f"{len(rest)} more stores", rest)] if rest else []
        found += [
            Panel(name, currency, *([_value(parts, at, loaded) for at in axis] for axis in (now, before)))
            for name, parts in charts
        ]
    return found


def _named(store: str, name: str) -> str:
    return "Web shop, no store" if store == "unknown" else f"{store} {name}".strip()


def _value(parts: Sequence[Sold], at: tuple[date, int], loaded: frozenset[date]) -> Decimal | None:
    if at[0] not in loaded:
        return None
    return sum((sold.get(at, Decimal()) for sold in parts), Decimal())
