"""What a page is put together from: a picture with the table of its figures, and the page's parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sitoo_pipeline.reporting.charts import Picture

Cells = Sequence[str]


@dataclass(frozen=True)
class DataTable:
    """A table of texts: the first ``titles`` columns are titles of their rows, the others are figures.

    ``total`` is a last row of sums. ``emphasised`` are the (row, column) that are set off.
    """

    caption: str
    heads: Cells
    rows: Sequence[Cells]
    titles: int = 1
    total: Cells = ()
    emphasised: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A heading, a picture where there is something to draw, what it shows in words, and its figures as a table."""

    heading: str
    says: str
    table: DataTable
    picture: Picture | None = None
    further: Sequence[DataTable] = ()


@dataclass(frozen=True)
class Tile:
    """One figure of the whole period, and how it compares with the week before."""

    name: str
    value: str
    compared: str = ""


@dataclass(frozen=True)
class CurrencyPart:
    """Everything in one currency. Two are never added."""

    currency: str
    tiles: Sequence[Tile]
    compared: str
    figures: Sequence[Figure] = field(default_factory=list)
