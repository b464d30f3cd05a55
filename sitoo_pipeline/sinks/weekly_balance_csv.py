"""Weekly balance as CSV files in the layout of SameSystem's hourly import, one file per business date.

Columns, order and titles are SameSystem's; separators are settings of the client there and therefore here. What does
not belong here: the figures themselves, and how a file travels further.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import unified_diff
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from sitoo_pipeline.sinks.contract import OnUnknown, Outcome, Prepared, Record, State
from sitoo_pipeline.sinks.weekly_balance_layout import COLUMNS, CsvFormat
from sitoo_pipeline.tables.marts import WEEKLY_BALANCE_HOURLY as MART

_AMOUNTS = ("gross_sales", "returns")
_NAMED = 4  # the ledger keeps short texts
_Hours = dict[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Files:
    """Files that were written, that were right already, and that were deleted."""

    written: int = 0
    unchanged: int = 0
    deleted: int = 0


class WeeklyBalanceCsv:
    """A folder with one file per business date, ``<folder>/<date>.csv``.

    **Unknown**: the files can be read, so what they hold decides; a file is written whole under another name and then
    renamed.

    The import has no column for a currency, so a store's figures are those in its home currency.
    """

    name: ClassVar[str] = "weekly_balance_csv"
    batch_size: ClassVar[int] = 1
    on_unknown: ClassVar[OnUnknown] = OnUnknown.READ_BACK

    def __init__(self, folder: Path, *, home_currency: Mapping[str, str], csv_format: CsvFormat | None = None) -> None:
        """Name the folder.

        Args:
            folder: where the files go; made when the first is written.
            home_currency: currency of each store. A store that is not named in it has the currency of its only rows;
                with rows in several currencies it is left out with a warning.
            csv_format: separators and register id; those of SameSystem's sample by default.
        """
        self._folder = folder
        self._home_currency = dict(home_currency)
        self._format = csv_format or CsvFormat()

    def prepare(
        self,
        frame: pl.DataFrame,
        *,
        account: str,
        dates: Collection[date],
        held: Mapping[date, Collection[str]] | None = None,
    ) -> Prepared:
        """One record per date: the text of its file. A date without a store has an empty text, and no file.

        A store that is left out is named in the messages with its figures, and in the record without them.

        Args:
            frame: rows of ``marts.weekly_balance_hourly``; other accounts and dates in it are left alone.
            account: the account to write.
            dates: the business dates to write; each must have been loaded.
            held: stores held back, by date: of these the file keeps the lines that it has, or says nothing.
        """
        mine = frame.filter(pl.col("account") == account, pl.col("business_date").is_in(set(dates))).sort(MART.key)
        stores: dict[date, dict[str, dict[str, _Hours]]] = {day: {} for day in sorted(set(dates))}
        for row in mine.iter_rows(named=True):
            currencies = stores[row["business_date"]].setdefault(row["store_id"], {})
            currencies.setdefault(row["currency"], {})[row["hour"]] = row
        records, warnings = [], []
        for day, of_day in stores.items():
            lines: list[list[str]] = []
            left_out: list[str] = []
            stays = frozenset((held or {}).get(day, ()))
            kept = self._format.lines_in(self._file_of(day), day, stays) if stays else {}
            for store_id in sorted(of_day.keys() | stays):
                if store_id in stays:
                    lines += kept.get(store_id, [])
                    left_out.append(f"store {store_id} (held back)")
                    continue
                currencies = of_day[store_id]
                home = self._home(store_id, currencies)
                if home is not None:
                    lines += self._format.lines_of(store_id, day, currencies.get(home, {}))
                for currency, hours in currencies.items():
                    if currency != home and _has_figures(hours):
                        why = f"{_figures(hours, currency)}: {_why(store_id, home)}"
                        warnings.append(f"{day} store {store_id}: left out of the CSV: {why}")
                        left_out.append(f"store {store_id} ({currency})")
            payload = {"business_date": day, "text": self._format.text(lines)}
            records.append(Record(day.isoformat(), day, payload, left_out=_listed(left_out, is_all=not lines)))
        return Prepared(tuple(records), tuple(warnings))

    def _file_of(self, day: date) -> str:
        """The text of the date's file as it is; empty where there is none, or none that can be read."""
        try:
            return (self._folder / f"{day.isoformat()}.csv").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def holds(self, record: Record) -> bool:
        """Whether the date's file has exactly these bytes (or is absent, where there is nothing to tell)."""
        path, text = self._path(record), record.payload["text"]
        try:
            return path.read_bytes() == text.encode() if text else not path.exists()
        except OSError:
            return False

    def difference(self, record: Record) -> list[str]:
        """The lines of the file that would go (-) and come (+)."""
        path = self._path(record)
        try:
            held = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            return [f"the file could not be read: {type(error).__name__}"]
        lines = list(unified_diff(held.splitlines(), record.payload["text"].splitlines(), n=0, lineterm=""))
        return [line for line in lines[2:] if not line.startswith("@@")]  # the first two would name files

    def send(self, batch: Sequence[Record]) -> list[Outcome]:
        """Write files, each under another name first."""
        return [self._outcome(record) for record in batch]

    def _outcome(self, record: Record) -> Outcome:
        try:
            done = self._replace(record)
        except OSError as error:
            return Outcome(record.key, State.RETRY, f"the file could not be written: {error}")
        return Outcome(record.key, State.DELIVERED, self._path(record).name, counts=vars(done))

    def _replace(self, record: Record) -> Files:
        path = self._path(record)
        if self.holds(record):
            return Files(unchanged=1)
        if not record.payload["text"]:
            path.unlink()
            return Files(deleted=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        with draft.open("wb") as file:
            file.write(record.payload["text"].encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return Files(written=1)

    def _path(self, record: Record) -> Path:
        return self._folder / f"{record.key}.csv"

    def _home(self, store_id: str, currencies: Mapping[str, _Hours]) -> str | None:
        if store_id == "unknown":
            return None
        only = next(iter(currencies)) if len(currencies) == 1 else None
        return self._home_currency.get(store_id, only)


def _listed(left_out: Sequence[str], *, is_all: bool) -> str:
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    return ", ".join(left_out[:_NAMED]) + more + ("; there is no file" if left_out and is_all else "")


def _has_figures(hours: _Hours) -> bool:
    return any(row[name] for row in hours.values() for _, name in COLUMNS)


def _figures(hours: _Hours, currency: str) -> str:
    gross, returns = (sum((row[name] for row in hours.values()), Decimal(0)) for name in _AMOUNTS)
    return f"{gross} {currency} gross sales" + (f" and {returns} {currency} returns" if returns else "")


def _why(store_id: str, home: str | None) -> str:
    if store_id == "unknown":
        return "the store is not known"
    return (
        f"it has no column for a currency, and the store's own is {home}"
        if home
        else "the store's own currency is not known"
    )
