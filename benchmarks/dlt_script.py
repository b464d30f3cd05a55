"""The same orders by dlt: its ``rest_api`` source into DuckDB, and one hourly aggregation in SQL. Default or tuned.

A process of its own, in a Python that has dlt; it takes nothing from the pipeline. Like the floor it asks for orders
only, checks nothing, and keeps no history. dlt brings its own: names its rows, finds out the schema by itself, keeps
its state, and could add to the tables later.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

from benchmarks.period import Period

_TUNED = {
    # Larger buffers, files of a size that lets both processes normalize, and nothing compressed on its way.
    "SOURCES__DATA_WRITER__BUFFER_MAX_ITEMS": "10000",
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "10000",
    "SOURCES__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "NORMALIZE__WORKERS": "2",
    "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
    "LOAD__WORKERS": "2",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
}
"""What dlt's page on performance recommends, beside Parquet as the form of its files. Lists below order lines and
payments stay JSON (``max_table_nesting``)."""

_HOURLY = """
    CREATE TABLE sitoo.hourly_sales AS
    SELECT additionaldata__store_externalid AS store_id, date_trunc('hour', to_timestamp(orderdate)) AS hour_start,
        sum(CAST(moneyitemtotal_net AS DECIMAL(18, 2)) + CAST(moneyitemtotal_vat AS DECIMAL(18, 2))) AS gross,
        count(DISTINCT orderid) AS orders
    FROM sitoo.orders JOIN sitoo.orders__orderitems AS lines ON lines._dlt_parent_id = orders._dlt_id
    WHERE ordertypeid = 10 AND orderstateid NOT IN (20, -1) AND paymentstateid = 20
    GROUP BY ALL
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=["default", "tuned"])
    parser.add_argument("url")
    parser.add_argument("first", type=date.fromisoformat)
    parser.add_argument("last", type=date.fromisoformat)
    parser.add_argument("fields")
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(asked.folder / "dlt")}
    os.environ |= _TUNED if asked.way == "tuned" else {}
    import dlt
    import duckdb
    from dlt.sources.rest_api import rest_api_source

    since, until = Period(asked.first, asked.last).seconds
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{asked.url}/",
                "paginator": {
                    "type": "offset",
                    "limit": 1000,
                    "limit_param": "num",
                    "offset_param": "start",
                    "total_path": "totalcount",
                },
            },
            "resources": [
                {
                    "name": "orders",
                    "endpoint": {
                        "path": "orders.json",
                        "data_selector": "items",
                        "params": {
                            "sort": "orderid",
                            "orderdatefrom": since,
                            "orderdateto": until,
                            "fields": asked.fields,
                        },
                    },
                }
            ],
        }
    )
    is_tuned = asked.way == "tuned"
    if is_tuned:
        source.max_table_nesting = 1
    file = asked.folder / "dlt.duckdb"
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=str(asked.folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(file)),
        dataset_name="sitoo",
    )
    marks = [time.perf_counter()]
    pipeline.extract(source, loader_file_format="parquet" if is_tuned else None)
    marks.append(time.perf_counter())
    pipeline.normalize(workers=2 if is_tuned else 1)
    marks.append(time.perf_counter())
    pipeline.load(workers=2 if is_tuned else 20, raise_on_failed_jobs=True)
    marks.append(time.perf_counter())
    with duckdb.connect(str(file)) as con:
        con.execute(_HOURLY)
        marks.append(time.perf_counter())
        found = con.sql(
            "SELECT (SELECT count(*) FROM sitoo.orders), (SELECT count(*) FROM sitoo.orders__orderitems), "
            "(SELECT sum(gross) FROM sitoo.hourly_sales)"
        ).fetchall()[0]
    names = ("extract", "normalize", "load", "aggregate")
    stages = {name: end - start for name, (start, end) in zip(names, pairwise(marks), strict=True)}
    figures = {"orders": found[0], "lines": found[1], "gross": str(found[2])}
    print(json.dumps({"stages": stages, "dlt": dlt.__version__, "duckdb": duckdb.__version__, **figures}))


if __name__ == "__main__":
    main()
