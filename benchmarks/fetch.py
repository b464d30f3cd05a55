"""``python -m benchmarks.fetch FIRST LAST``: the orders of these dates onto disk, and nothing loaded: what it took."""

from __future__ import annotations

import json
import sys
import time
from datetime import date

from benchmarks.period import Period
from sitoo_pipeline.assets.fetching import Fetcher
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.windows import pieces_of
from sitoo_pipeline.settings import load_settings
from sitoo_pipeline.tables import raw


def main() -> None:
    period = Period(*map(date.fromisoformat, sys.argv[1:]))
    [account] = load_settings().accounts
    runtime = Runtime.of(account)
    begin, records = time.perf_counter(), 0
    with Fetcher(runtime, raw.ORDERS, pieces_of(runtime, raw.ORDERS, map(period.day, range(period.days)))) as fetcher:
        for dates in fetcher.pieces():
            records += fetcher.take(dates).landed.records
    print(json.dumps({"seconds": time.perf_counter() - begin, "records": records}))


if __name__ == "__main__":
    main()
