"""How a date that was loaded again tells what moved: on its page in the UI, and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from sitoo_pipeline.tables import Table, marts, meta
from sitoo_pipeline.tables.types import MONEY
from sitoo_pipeline.transforms.changes import ORDERS_MOVED

Frames = Mapping[Table, pl.DataFrame]

_NAMED = 3
"""Stores that a note names; the table has them all."""


@dataclass(frozen=True)
class Comparison:
    """What is compared when a date is loaded again.

    ``moved`` gives the rows of ``meta.reload_diffs`` from the tables before and after, ``metadata`` what the page of
    the first table says of these rows, also where there are none.
    """

    moved: Callable[[Frames, Frames], pl.DataFrame]
    metadata: Callable[[pl.DataFrame], dict[str, Any]]


def numbers_of_orders(moved: pl.DataFrame) -> dict[str, Any]:
    """How many orders were added, removed and changed in all stores together."""
    counted: dict[str, Any] = dict(moved.group_by("measure").agg(pl.col("after").sum()).iter_rows())
    return {measure: int(counted.get(measure, 0)) for measure in ORDERS_MOVED}


def moved_figures(moved: pl.DataFrame) -> dict[str, Any]:
    """The measures before and after as a table, and a note of the first of each store; nothing where none moved."""
    if moved.is_empty():
        return {}
    # Both come with Dagster, which runs this step; who only asks what a table is made from needs none.
    from sitoo_pipeline.assets.checks import examples
    from sitoo_pipeline.assets.metadata import NOTES

    first = moved.unique(["store_id", "channel", "currency"], keep="first", maintain_order=True).head(_NAMED)
    said = [_sentence(**row) for row in first.iter_rows(named=True)]
    rest = [f"and {moved.height - first.height} more"] if moved.height > first.height else []
    return {
        "moved": examples(moved.drop("business_date")),
        NOTES: f"figures moved: {', '.join([*said, *rest])}; see {meta.RELOAD_DIFFS.qualified}",
    }


def _sentence(
    *, store_id: str, channel: str, currency: str, measure: str, before: Decimal | None, after: Decimal | None, **_: Any
) -> str:
    money = marts.DAILY_SALES.column(measure).type is MONEY
    was, becomes = ("none" if value is None else str(value if money else int(value)) for value in (before, after))
    place = f"store {store_id}" if channel == "pos" else f"store {store_id} {channel}"
    return f"{place} {measure} {was} -> {becomes}{f' {currency}' if money else ''}"
