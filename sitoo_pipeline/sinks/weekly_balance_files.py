"""Which stores and hours of a weekly balance go into which file, and what is left out of all of them.

The text is the same whichever way a file travels: into a folder (``weekly_balance_csv``) or by e-mail
(``weekly_balance_mail``). How a value is written is in ``weekly_balance_layout``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat, has_figures
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY as MART

OpenHours = Callable[[str, date], Collection[int]]
"""The hours of a store on a date that are written whether it sold anything or not."""

Held = Mapping[date, Collection[str]]
"""Stores held back, by date."""

_AMOUNTS = ("gross_sales", "returns")
_NAMED = 4  # the ledger keeps short texts
_Rows = Mapping[int, Mapping[str, Any]]
_Day = dict[str, dict[str, dict[int, Mapping[str, Any]]]]


def whole_day(_store_id: str, _day: date) -> Collection[int]:
    """All 24 hours."""
    return range(24)


@dataclass(frozen=True)
class BalanceFile:
    """One file: ``name`` without its folder and ``.csv``. One without text is not to be there.

    ``left_out`` says which stores it lacks on purpose, without their figures.
    """

    name: str
    day: date
    text: str
    left_out: str = ""


@dataclass
class _Part:
    """What goes into one file."""

    lines: list[list[str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def file(self, name: str, day: date, csv_format: CsvFormat) -> BalanceFile:
        return BalanceFile(name, day, csv_format.text(self.lines), _listed(self.left_out, is_all=not self.lines))


class WeeklyBalanceFiles:
    """The files of an account's business dates. The layout has no column for a currency: a store's own only."""

    def __init__(
        self,
        folder: Path,
        *,
        home_currency: Mapping[str, str],
        csv_format: CsvFormat,
        open_hours: OpenHours = whole_day,
        by_store: bool = False,
    ) -> None:
        """Say how they are made.

        Args:
            folder: where the files are, if anywhere; of a store that is held back the lines there are kept.
            home_currency: currency of each store. A store that is not named in it has the currency of its only rows;
                with rows in several currencies it is left out with a warning.
            csv_format: how values are written.
            open_hours: the hours that are written in any case. Another hour is written where something was sold in it.
            by_store: whether each store has a file of its own.
        """
        self.folder = folder
        self.csv_format = csv_format
        self._home_currency = home_currency
        self._open_hours = open_hours
        self._by_store = by_store

    def path(self, name: str) -> Path:
        """Where the file of this name is."""
        return self.folder / f"{name}.csv"

    def make(
        self, frame: pl.DataFrame, *, account: str, dates: Collection[date], held: Held | None = None
    ) -> tuple[list[BalanceFile], list[str]]:
        """The files of these dates, by date, and what a person should know about them.

        Every date has a file of its own name: that with all its stores, or, where each store has its own, one
        without text.

        Args:
            frame: rows of ``marts.weekly_balance_hourly``; other accounts and dates in it are left alone.
            account: the account to write.
            dates: the business dates to write; each must have been loaded.
            held: stores held back, by date: of these the file keeps the lines that it has, or says nothing.
        """
        mine = frame.filter(pl.col("account") == account, pl.col("business_date").is_in(set(dates))).sort(MART.key)
        days: dict[date, _Day] = {day: {} for day in sorted(set(dates))}
        for row in mine.iter_rows(named=True):
            currencies = days[row["business_date"]].setdefault(row["store_id"], {})
            currencies.setdefault(row["currency"], {})[row["hour"]] = row
        files: list[BalanceFile] = []
        warnings: list[str] = []
        for day, stores in days.items():
            parts = self._parts(day, stores, frozenset((held or {}).get(day, ())), warnings)
            files += [part.file(name, day, self.csv_format) for name, part in parts.items()]
        return files, warnings

    def _parts(self, day: date, stores: _Day, held: Collection[str], warnings: list[str]) -> dict[str, _Part]:
        parts = {day.isoformat(): _Part()}
        for store_id in sorted(stores.keys() | set(held)):
            name = self._name(day, store_id)
            if store_id in held:
                part = parts.setdefault(name, _Part())
                part.lines += self._lines_there(name, day, store_id)
                part.left_out.append(f"store {store_id} (held back)")
                continue
            currencies = stores[store_id]
            home = self._home(store_id, currencies)
            part = parts[day.isoformat()] if home is None else parts.setdefault(name, _Part())
            if home is not None:
                part.lines += self._lines(store_id, day, currencies.get(home, {}), warnings)
            for currency, rows in currencies.items():
                if currency != home and any(has_figures(row) for row in rows.values()):
                    why = f"{_figures(rows, currency)}: {_why(store_id, home)}"
                    warnings.append(f"{day} store {store_id}: left out of the CSV: {why}")
                    part.left_out.append(f"store {store_id} ({currency})")
        return parts

    def _name(self, day: date, store_id: str) -> str:
        return f"{day.isoformat()}_{quote(store_id, safe='')}" if self._by_store else day.isoformat()

    def of_others(self, day: date, files: Collection[str], known: Collection[str]) -> Iterator[str]:
        """Names among ``known`` of the date's files in the folder that are not among ``files``.

        Another setting made them. A file that is not known is somebody else's.
        """
        for path in sorted(self.folder.glob(f"{day.isoformat()}_*.csv")):
            if path.stem in known and path.stem not in files:
                yield path.stem

    def _lines(self, store_id: str, day: date, rows: _Rows, warnings: list[str]) -> list[list[str]]:
        is_open = set(self._open_hours(store_id, day))
        others = sorted(hour for hour, row in rows.items() if hour not in is_open and has_figures(row))
        if others:
            said = ", ".join(f"{hour:02}:00" for hour in others)
            warnings.append(
                f"{day} store {store_id}: sales outside its opening hours, at {said}; they are written all the same: "
                "look at the setting opening_hours, or at the clock of the till"
            )
        return self.csv_format.lines_of(store_id, day, rows, is_open.union(others))

    def _lines_there(self, name: str, day: date, store_id: str) -> list[list[str]]:
        """The store's lines in the file as it is; none where there is no file, or none that can be read."""
        try:
            text = self.path(name).read_bytes().decode(self.csv_format.encoding)
        except (OSError, UnicodeDecodeError):
            return []
        hours = {store_id: self._open_hours(store_id, day)}
        return self.csv_format.lines_in(text, day, {store_id}, hours).get(store_id, [])

    def _home(self, store_id: str, currencies: Mapping[str, _Rows]) -> str | None:
        if store_id == "unknown":
            return None
        only = next(iter(currencies)) if len(currencies) == 1 else None
        return self._home_currency.get(store_id, only)


def _listed(left_out: Sequence[str], *, is_all: bool) -> str:
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    return ", ".join(left_out[:_NAMED]) + more + ("; there is no file" if left_out and is_all else "")


def _figures(rows: _Rows, currency: str) -> str:
    gross, returns = (sum((row[name] for row in rows.values()), Decimal(0)) for name in _AMOUNTS)
    return f"{gross} {currency} gross sales" + (f" and {returns} {currency} returns" if returns else "")


def _why(store_id: str, home: str | None) -> str:
    if store_id == "unknown":
        return "the store is not known"
    return (
        f"it has no column for a currency, and the store's own is {home}"
        if home
        else "the store's own currency is not known"
    )
