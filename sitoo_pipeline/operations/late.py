"""Which dates late and changed orders touch.

Orders carry no stamp of their last change. What can be asked for is the tail of new order ids (an offline till that
came back gets new ids for old sales) and the orders that were still open when they were last read.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta

from sitoo_pipeline.assets.extract import HINTS, dated, window
from sitoo_pipeline.assets.landing import fetch_folder
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.sitoo import RESOURCES, Window, land, newest_id
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse import Loaded, differing_dates, loaded_dates
from sitoo_pipeline.warehouse.ledger import Load, record

_OPEN = """
    SELECT order_id FROM core.orders
    WHERE order_type_id = 10 AND business_date >= ?
        AND order_state_id IS DISTINCT FROM 20 AND order_state_id IS DISTINCT FROM -1
        AND (order_state_id = 0 OR payment_state_id IS DISTINCT FROM 20)
    ORDER BY order_id
"""


_CURSOR = """
    WITH loads AS (FROM meta.loads WHERE table_name = 'raw.orders' AND status != 'failed'),
    of_dates AS (SELECT max(newest_id) AS newest_id FROM loads WHERE business_date IS NOT NULL GROUP BY business_date)
    SELECT coalesce(
        (SELECT max(newest_id) FROM loads WHERE business_date IS NULL),
        (SELECT min(coalesce(newest_id, 0)) FROM of_dates), 0)
"""
"""Up to which id the orders of the loaded dates are known: by the last look that found none, else the oldest load."""


def touched_dates(runtime: Runtime) -> set[date]:
    """The loaded dates whose orders are others than those that are loaded, as far as new ids and open orders tell.

    A look that finds nothing is remembered in ``meta.loads`` as a load of no date, and the next one begins where it
    ended; one that finds something is made again, until the dates that it found are loaded.

    Raises:
        SitooError: a fetch failed; nothing was changed.
        WarehouseLockedError: the warehouse stayed open in another program.
    """
    account, started_at = runtime.account, datetime.now(UTC)
    since = started_at.date() - timedelta(days=account.open_orders_max_age_days)
    with runtime.warehouse.connect() as con:
        known = loaded_dates(con, raw.ORDERS)
        cursor = con.execute(_CURSOR).fetchall()[0][0]
        open_orders = [row[0] for row in con.execute(_OPEN, [since]).fetchall()]
    if not known:
        return set()
    with runtime.sitoo() as client:
        newest = newest_id(client, RESOURCES[raw.ORDERS.name])
    tail: Params = {"orderidfrom": max(0, cursor - account.late_ids_margin)}
    late = _touched(runtime, tail, window(runtime, raw.ORDERS, sorted(known))) & known
    changed = _touched(runtime, {"orderid": open_orders}, None) & known if open_orders else set()
    if not late:
        looked = Loaded(table=raw.ORDERS.qualified, business_date=None, status="unchanged")
        with runtime.warehouse.connect() as con:
            record(con, looked, load=Load(run_id="", started_at=started_at, newest_id=newest))
    return late | changed


def _touched(runtime: Runtime, asked: Params, span: Window | None) -> set[date]:
    folder = fetch_folder(runtime.account.landing_folder, raw.ORDERS.name, "tail", datetime.now(UTC))
    with runtime.sitoo() as client:
        landed = land(
            client=client, resource=RESOURCES[raw.ORDERS.name], folder=folder, window=span, extra_params=asked
        )
    with runtime.warehouse.connect() as con:
        places = runtime.places(con)
    try:
        return differing_dates(
            runtime.warehouse,
            raw.ORDERS,
            landed.files,
            layout=landed.layout,
            landing=runtime.account.landing_folder,
            hints=HINTS[raw.ORDERS.name],
            dating=lambda hints: dated(raw.ORDERS, hints, places),
        )
    finally:
        shutil.rmtree(
            folder, ignore_errors=True
        )  # the dates found are fetched whole, these bodies are not needed again
