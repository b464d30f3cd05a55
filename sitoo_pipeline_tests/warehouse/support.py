"""Landed bodies, a warehouse and one way to load the one into the other.

``documented`` holds the answers that Sitoo's API reference shows, as they stand there.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl

from sitoo_pipeline.tables import Table, raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.schema import Column
from sitoo_pipeline.tables.types import BIGINT, INSTANT
from sitoo_pipeline.warehouse import Loaded, Warehouse, load_dated, load_reference, merge_site

STARTED = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
DAY, NEXT_DAY = date(2026, 11, 20), date(2026, 11, 21)
NOON, NEXT_NOON = 1795176000, 1795176000 + 86400
"""Unix seconds of 12:00 UTC of the two days."""

_LISTS: dict[Table, Literal["envelope", "array"]] = {raw.Z_REPORTS: "array"}
_CLOCKS = {raw.ORDERS: "o.orderdate", raw.Z_REPORTS: "o.datecreated", raw.WAREHOUSE_TRANSACTIONS: "o.datecreated"}


def documented(name: str) -> Any:
    """An answer of Sitoo's reference, decoded."""
    return json.loads((Path(__file__).parent / "documented" / f"{name}.json").read_text(encoding="utf-8"))


def order(order_id: int = 1, at: int | None = NOON, **fields: Any) -> dict[str, Any]:
    """An order in the documented shape."""
    return {**deepcopy(documented("order")), "orderid": order_id, "orderdate": at, **fields}


def in_utc(hints: pl.DataFrame) -> pl.DataFrame:
    """Dates every object in UTC."""
    return hints.with_columns(business_date=pl.col("at").dt.date())


@dataclass
class Account:
    """A warehouse and a landing folder."""

    folder: Path
    warehouse: Warehouse = field(init=False)
    landing: Path = field(init=False)
    _numbers: Iterable[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.landing = self.folder / "landing"
        self.warehouse = Warehouse(self.folder / "warehouse.duckdb", lock_timeout=0.3)

    def land(self, *pages: Any) -> list[Path]:
        """Bodies on disk, as a fetch leaves them."""
        folder = self.landing / f"{next(iter(self._numbers)):03d}"
        folder.mkdir(parents=True)
        files = [folder / f"{number:04d}.json.gz" for number, _ in enumerate(pages)]
        for file, page in zip(files, pages, strict=True):
            file.write_bytes(gzip.compress(page if isinstance(page, bytes) else json.dumps(page).encode()))
        return files

    def load(
        self,
        *pages: Any,
        table: RawTable = raw.ORDERS,
        dates: Sequence[date] = (DAY,),
        hints: Sequence[Column] | None = None,
        dating: Callable[[pl.DataFrame], pl.DataFrame] = in_utc,
        run_id: str = "run",
        unknown_fields: Iterable[str] = (),
    ) -> dict[date, Loaded]:
        """Load lists of objects, each a page, as ``dates`` of ``table``."""
        layout = _LISTS.get(table, "envelope")
        bodies = [page if layout == "array" or not isinstance(page, list) else {"items": page} for page in pages]
        clock = Column("at", INSTANT, source=_CLOCKS[table])
        return load_dated(
            self.warehouse,
            table,
            self.land(*bodies),
            layout=layout,
            landing=self.landing,
            dates=dates,
            hints=[clock] if hints is None else hints,
            dating=dating,
            run_id=run_id,
            started_at=STARTED,
            requests=len(pages),
            unknown_fields=unknown_fields,
        )

    def load_list(self, *pages: Any, table: RawTable, run_id: str = "run", **more: Any) -> Loaded:
        """Load lists of objects, each a page, as the whole of ``table``."""
        bodies = [page if isinstance(page, dict) else {"items": page} for page in pages]
        return load_reference(
            self.warehouse,
            table,
            self.land(*bodies),
            layout="envelope",
            landing=self.landing,
            run_id=run_id,
            started_at=STARTED,
            **more,
        )

    def merge(self, *pages: Any, site: int = 1, run_id: str = "run", started_at: datetime = STARTED) -> Loaded:
        """Add lists of products, each a page, as what a site answered."""
        folder = self.landing / "products" / f"site-{site}" / f"{next(iter(self._numbers)):03d}"
        folder.mkdir(parents=True)
        files = self.land(*(page if isinstance(page, dict) else {"items": page} for page in pages))
        kept = [file.rename(folder / file.name) for file in files]
        return merge_site(
            self.warehouse,
            raw.PRODUCTS,
            kept,
            site=site,
            layout="envelope",
            landing=self.landing,
            folder=folder,
            run_id=run_id,
            started_at=started_at,
        )

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """The rows of a query, as DuckDB gives them to Python."""
        with self.warehouse.connect() as con:
            return con.execute(sql, list(params)).fetchall()

    def records(self, table: Table) -> list[dict[str, Any]]:
        """The rows of a table by column, audit columns and the landing file left out, in the order of its key."""
        names = [name for name in table.names if name != "_landing_file"]
        order = ", ".join(table.key) or "ALL"
        with self.warehouse.connect() as con:
            rows = con.execute(f"SELECT {', '.join(names)} FROM {table.qualified} ORDER BY {order}").fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def orders(self) -> list[tuple[int, date]]:
        """Which orders stand at which date."""
        return self.rows("SELECT orderid, business_date FROM raw.orders ORDER BY ALL")

    def refused(self) -> list[tuple[str, str, str | None, Any]]:
        """Rule, path, key and payload of everything in quarantine."""
        found = self.rows("SELECT rule, path, object_key, payload FROM meta.quarantine ORDER BY ALL")
        return [(rule, path, key, json.loads(payload)) for rule, path, key, payload in found]


def memory() -> duckdb.DuckDBPyConnection:
    """A database of its own, in UTC as the warehouse is."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    return con


def frame(table: Table, *rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as a frame of ``table``; columns that are left out are null."""
    return pl.DataFrame([dict.fromkeys(table.names) | dict(row) for row in rows], schema=table.polars_schema)


NUMBER_HINT = Column("order_id", BIGINT, source="o.orderid")
