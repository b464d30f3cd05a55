"""How a weekly balance is written as CSV: columns, titles, numbers, and the lines of one store in a file.

The layout is that of SameSystem's hourly import, whose readings differ from client to client. Which stores and hours
go into which file is in ``weekly_balance_files``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
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

_MONEY = frozenset({"net_sales", "gross_sales", "discounts", "returns"})
_NOTHING = {name: Decimal(0) if name in _MONEY else 0 for _, name in COLUMNS}


def has_figures(row: Mapping[str, Any]) -> bool:
    """Whether anything happened in this hour."""
    return any(row[name] for _, name in COLUMNS)


@dataclass(frozen=True)
class CsvFormat:
    """How values are written.

    Attributes:
        column: between columns.
        decimal: before decimals.
        thousands: between thousands; may be empty.
        date_format: in the directives of ``strftime``.
        register_id: what the column of the register says; without one there is no such column.
        header: whether the first line has the titles.
        gross_with_vat: whether the column Gross Sales includes VAT.
        net_with_vat: the same of the column Net Sales.
        negative: the mart's columns, out of ``returns`` and ``discounts``, that are written with the sign reversed.
        encoding: of the file's bytes, as Python names it.

    Raises:
        ValueError: where a separator could be mistaken for another or for part of a number.
    """

    column: str = ";"
    decimal: str = ","
    thousands: str = "."
    date_format: str = "%Y-%m-%d"
    register_id: int | None = 1
    header: bool = True
    gross_with_vat: bool = True
    net_with_vat: bool = False
    negative: frozenset[str] = frozenset()
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        named = {"column": self.column, "decimal": self.decimal, "thousands": self.thousands}
        for name, value in named.items():
            if len(value) != 1 and not (name == "thousands" and value == ""):
                raise ValueError(f"the {name} separator must be one character, not {value!r}")
            if value and (value.isalnum() or value in '-+"\r\n:'):
                raise ValueError(f"the {name} separator cannot be {value!r}")
        if len(set(named.values())) < len(named):
            raise ValueError(f"separators must differ from each other: {named}")
        if self.register_id is not None and self.register_id < 1:
            raise ValueError(f"the register id must be 1 or more, not {self.register_id}")
        if not self.negative <= {"returns", "discounts"}:
            raise ValueError(f"only returns and discounts can have their sign reversed, not {sorted(self.negative)}")

    @property
    def titles(self) -> list[str]:
        """The titles of the columns."""
        register = [] if self.register_id is None else ["Register Id"]
        return ["Department Id", *register, "Date", "Hour", *(title for title, _ in COLUMNS)]

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        """The mart's column behind each column of figures."""
        with_vat = {True: "gross_sales", False: "net_sales"}
        basis = {"gross_sales": with_vat[self.gross_with_vat], "net_sales": with_vat[self.net_with_vat]}
        return tuple(basis.get(name, name) for _, name in COLUMNS)

    def number(self, value: Decimal | int) -> str:
        """``1234.56`` as ``1.234,56``; a count has no decimals and no thousands separator."""
        if isinstance(value, int):
            return str(value)
        return f"{value:,.2f}".translate({ord(","): self.thousands, ord("."): self.decimal})

    def lines_of(
        self, store_id: str, day: date, rows: Mapping[int, Mapping[str, Any]], hours: Collection[int] = range(24)
    ) -> list[list[str]]:
        """These hours of a store, in order; an hour that ``rows`` does not have is one without sales."""
        return [[*self._head(store_id, day, hour), *self._figures(rows.get(hour, _NOTHING))] for hour in sorted(hours)]

    def _head(self, store_id: str, day: date, hour: int) -> list[str]:
        register = [] if self.register_id is None else [str(self.register_id)]
        return [store_id, *register, day.strftime(self.date_format), f"{hour:02}:00:00"]

    def _figures(self, row: Mapping[str, Any]) -> list[str]:
        return [self.number(-row[name] if name in self.negative else row[name]) for name in self._sources]

    def text(self, lines: Sequence[Sequence[str]]) -> str:
        """A whole file; empty where there are no lines."""
        if not lines:
            return ""
        file = io.StringIO()
        writer = csv.writer(file, delimiter=self.column, lineterminator="\n")
        if self.header:
            writer.writerow(self.titles)
        writer.writerows(lines)
        return file.getvalue()

    def lines_in(
        self, text: str, day: date, stores: Collection[str], hours: Mapping[str, Collection[int]] | None = None
    ) -> dict[str, list[list[str]]]:
        """The lines of ``stores`` in the text of a date's file: of each all of them in this very format, or none.

        All of them are its ``hours``, those of the whole day unless said otherwise; there may be others as well.
        """
        found: dict[str, list[list[str]]] = {}
        try:
            for line in csv.reader(io.StringIO(text), delimiter=self.column):
                if line and line[0] in stores:
                    found.setdefault(line[0], []).append(line)
        except csv.Error:  # somebody has put something else there
            return {}
        wanted = hours or {}
        return {
            store: lines
            for store, lines in found.items()
            if self._is_whole(store, day, lines, wanted.get(store, range(24)))
        }

    def _is_whole(self, store_id: str, day: date, lines: list[list[str]], hours: Collection[int]) -> bool:
        heads = {tuple(self._head(store_id, day, hour)): hour for hour in range(24)}
        width = len(self.titles) - len(COLUMNS)
        seen = [heads.get(tuple(line[:width]), -1) for line in lines]
        in_order = seen == sorted(set(seen)) and -1 not in seen
        return in_order and set(hours) <= set(seen) and all(self._is_mine(line[width:]) for line in lines)

    def _is_mine(self, figures: list[str]) -> bool:
        return len(figures) == len(COLUMNS) and all(
            self._reads(text) == text if name in _MONEY else text.isdecimal()
            for text, name in zip(figures, self._sources, strict=True)
        )

    def _reads(self, text: str) -> str | None:
        plain = text.replace(self.thousands, "") if self.thousands else text
        try:
            return self.number(Decimal(plain.replace(self.decimal, ".")))
        except InvalidOperation:
            return None
