"""Which dates late and changed orders touch.

Orders carry no stamp of their last change. What can be asked for is the tail of new order ids (an offline till that
came back gets new ids for old sales) and the orders that were still open when they were last read.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta

from sitoo_pipeline.assets.extract import HINTS, dated
from sitoo_pipeline.assets.landing import fetch_folder
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.sitoo import RESOURCES, land
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse import differing_dates

_OPEN = """
    SELECT order_id FROM core.orders
    WHERE order_type_id = 10 AND business_date >= ?
        AND order_state_id IS DISTINCT FROM 20 AND order_state_id IS DISTINCT FROM -1
        AND (order_state_id = 0 OR payment_state_id IS DISTINCT FROM 20)
    ORDER BY order_id
"""


def touched_dates(runtime: Runtime) -> set[date]:
    """The business dates whose orders are others than those that are loaded, as far as new ids and open orders tell.

    Raises:
        SitooError: a fetch failed; nothing was changed.
    """
    account = runtime.account
    since = datetime.now(UTC).date() - timedelta(days=account.open_orders_max_age_days)
    with runtime.warehouse.connect() as con:
        newest = con.execute("SELECT max(orderid) FROM raw.orders").fetchall()[0][0]
        open_orders = [row[0] for row in con.execute(_OPEN, [since]).fetchall()]
    if newest is None:
        return set()
    found = _touched(runtime, {"orderidfrom": max(0, newest - account.late_ids_margin)})
    if open_orders:
        found |= _touched(runtime, {"orderid": open_orders})
    return found


def _touched(runtime: Runtime, asked: Params) -> set[date]:
    folder = fetch_folder(runtime.account.landing_folder, raw.ORDERS.name, "tail", datetime.now(UTC))
    with runtime.sitoo() as client:
        landed = land(client=client, resource=RESOURCES[raw.ORDERS.name], folder=folder, extra_params=asked)
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
