"""The floor: a bare script that only fetches the orders, reads them into three tables, and adds them up by the hour.

It checks nothing, keeps no history, cannot be run again for a day, and knows neither other resources nor targets. Its
time is what fetching and decoding cost at least. It takes the types of the fields from the pipeline, and no code.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from itertools import count, pairwise
from pathlib import Path

import duckdb
import httpx

from benchmarks.period import Period
from sitoo_pipeline.sitoo import RESOURCES
from sitoo_pipeline.tables.raw import ORDERS
from sitoo_pipeline.tables.types import INSTANT

_PAGE = 1000
_PAGES_AT_ONCE = 100  # keeps memory flat

_HOURLY = """
    CREATE TABLE hourly_sales AS
    SELECT orders.additionaldata['store-externalid'] AS store_id,
        date_trunc('hour', to_timestamp(orderdate)) AS hour_start,
        sum(moneyitemtotal_net + moneyitemtotal_vat) AS gross, count(DISTINCT orderid) AS orders
    FROM orders JOIN lines USING (orderid)
    WHERE ordertypeid = 10 AND orderstateid NOT IN (20, -1) AND paymentstateid = 20
    GROUP BY ALL
"""


def fetch(url: str, period: Period, folder: Path) -> list[Path]:
    """Every page of orders, one after the other, as received."""
    folder.mkdir(parents=True)
    since, until = period.seconds
    asked: dict[str, str | int] = {"sort": "orderid", "orderdatefrom": since, "orderdateto": until, "num": _PAGE}
    fields = ",".join(RESOURCES["orders"].fields or ())
    files: list[Path] = []
    with httpx.Client(headers={"Accept-Encoding": "gzip"}, trust_env=False, timeout=60) as client:
        total = client.get(f"{url}/orders.json", params={**asked, "num": 1, "fields": "orderid"}).json()["totalcount"]
        for start in range(0, total, _PAGE):
            with client.stream("GET", f"{url}/orders.json", params={**asked, "start": start, "fields": fields}) as page:
                file = folder / f"{len(files):05d}.json.gz"
                file.write_bytes(b"".join(page.iter_raw()))
                files.append(file)
    return files


def load(con: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """Read the pages into ``orders``, ``lines`` and ``payments``."""
    fields = ", ".join(f'"{f.name}" {"BIGINT" if f.type is INSTANT else f.type.sql}' for f in ORDERS.fields)
    for batch in count():
        pages = [str(file) for file in files[batch * _PAGES_AT_ONCE : (batch + 1) * _PAGES_AT_ONCE]]
        if not pages:
            return
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE received AS SELECT unnest(o) FROM (SELECT unnest(items) AS o "
            f"FROM read_json(?, format = 'unstructured', records = 'true', compression = 'gzip', "
            f"columns = {{items: 'STRUCT({fields})[]'}}))",
            [pages],
        )
        for table, rows in {
            "orders": "* EXCLUDE (orderitems, payments)",
            "lines": "orderid, unnest(orderitems, max_depth := 2)",
            "payments": "orderid, unnest(payments, max_depth := 2)",
        }.items():
            con.execute(f"CREATE TABLE IF NOT EXISTS {table} AS SELECT {rows} FROM received LIMIT 0")
            con.execute(f"INSERT INTO {table} SELECT {rows} FROM received")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("first", type=date.fromisoformat)
    parser.add_argument("last", type=date.fromisoformat)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    marks = [time.perf_counter()]
    files = fetch(asked.url, Period(asked.first, asked.last), asked.folder / "pages")
    marks.append(time.perf_counter())
    with duckdb.connect(str(asked.folder / "floor.duckdb")) as con:
        con.execute("SET memory_limit = '1GB'")
        con.execute("SET preserve_insertion_order = false")
        load(con, files)
        marks.append(time.perf_counter())
        con.execute(_HOURLY)
        marks.append(time.perf_counter())
        (gross,) = con.sql("SELECT sum(gross) FROM hourly_sales").fetchall()[0]
        orders, lines = con.sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM lines)").fetchall()[0]
    stages = {
        name: end - start for name, (start, end) in zip(("fetch", "load", "aggregate"), pairwise(marks), strict=True)
    }
    received = sum(int.from_bytes(file.read_bytes()[-4:], "little") for file in files)  # where gzip keeps the size
    figures = {"bytes": received, "orders": orders, "lines": lines, "gross": str(gross)}
    print(json.dumps({"stages": stages, **figures}))


if __name__ == "__main__":
    main()
