"""How a weekly balance is written as CSV: columns, titles, numbers, and the lines of one store in a file.

The layout is that of SameSystem's hourly import. Which stores go into which file is in ``weekly_balance_csv``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

COLUMNS: tuple[tuple[str, str], ...] = (
    ("Net Sales", "net_sales"),
    ("Gross Sales", "gross_sales"),
    ("Discounts", "discounts"),
    ("Returns", "returns"),
    ("Transactions", "transactions"),
    ("Number of goods sold", "goods_sold"),
    ("Number of returned goods", "goods_returned"),
    ("Visitors", "visitors"),
)
"""Titles of the measures and the mart's columns, in the order of the file."""

HEADER = ("Department Id", "Register Id", "Date", "Hour", *(title for title, _ in COLUMNS))

_NOTHING = {name: Decimal(0) if "sales" in name or name in ("discounts", "returns") else 0 for _, name in COLUMNS}


@dataclass(frozen=True)
class CsvFormat:
    """How values are written: separators between columns, before decimals and between thousands, dates, the register.

    ``date_format`` is in the directives of ``strftime``.

    Raises:
        ValueError: where a separator could be mistaken for another or for part of a number.
    """

    column: str = ";"
    decimal: str = ","
    thousands: str = "."
    date_format: str = "%Y-%m-%d"
    register_id: int = 1

    def __post_init__(self) -> None:
        named = {"column": self.column, "decimal": self.decimal, "thousands": self.thousands}
        for name, value in named.items():
            if len(value) != 1 and not (name == "thousands" and value == ""):
                raise ValueError(f"the {name} separator must be one character, not {value!r}")
            if value and (value.isalnum() or value in '-+"\r\n:'):
                raise ValueError(f"the {name} separator cannot be {value!r}")
        if len(set(named.values())) < len(named):
            raise ValueError(f"separators must differ from each other: {named}")
        if self.register_id < 1:
            raise ValueError(f"the register id must be 1 or more, not {self.register_id}")

    def number(self, value: Decimal | int) -> str:
        """``1234.56`` as ``1.234,56``; a count has no decimals and no thousands separator."""
        if isinstance(value, int):
            return str(value)
        return f"{value:,.2f}".translate({ord(","): self.thousands, ord("."): self.decimal})

    def lines_of(self, store_id: str, day: date, hours: Mapping[int, Mapping[str, Any]]) -> list[list[str]]:
        """All 24 hours of a store; an hour that ``hours`` does not have is one without sales."""
        rows = [hours.get(hour, _NOTHING) for hour in range(24)]
        return [
            [*self._head(store_id, day, hour), *(self.number(row[name]) for _, name in COLUMNS)]
            for hour, row in enumerate(rows)
        ]

    def _head(self, store_id: str, day: date, hour: int) -> list[str]:
        return [store_id, str(self.register_id), day.strftime(self.date_format), f"{hour:02}:00:00"]

    def text(self, lines: Sequence[Sequence[str]]) -> str:
        """A whole file; empty where there are no lines."""
        if not lines:
            return ""
        file = io.StringIO()
        writer = csv.writer(file, delimiter=self.column, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(lines)
        return file.getvalue()

    def lines_in(self, text: str, day: date, stores: Collection[str]) -> dict[str, list[list[str]]]:
        """The lines of ``stores`` in the text of a date's file: of each all 24 in this very format, or none."""
        found: dict[str, list[list[str]]] = {}
        try:
            for line in csv.reader(io.StringIO(text), delimiter=self.column):
                if line and line[0] in stores:
                    found.setdefault(line[0], []).append(line)
        except csv.Error:  # somebody has put something else there
            return {}
        return {store: lines for store, lines in found.items() if self._is_whole(store, day, lines)}

    def _is_whole(self, store_id: str, day: date, lines: list[list[str]]) -> bool:
        heads = [self._head(store_id, day, hour) for hour in range(24)]
        return [line[:4] for line in lines] == heads and all(self._is_mine(line[4:]) for line in lines)

    def _is_mine(self, figures: list[str]) -> bool:
        return len(figures) == len(COLUMNS) and all(
            self._reads(text) == text if isinstance(_NOTHING[name], Decimal) else text.isdecimal()
            for text, (_, name) in zip(figures, COLUMNS, strict=True)
        )

    def _reads(self, text: str) -> str | None:
        plain = text.replace(self.thousands, "") if self.thousands else text
        try:
            return self.number(Decimal(plain.replace(self.decimal, ".")))
        except InvalidOperation:
            return None
