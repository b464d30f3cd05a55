"""What comes late or changes: the ways of asking Sitoo which loaded dates are not as they were. No dagster here.

Orders carry no stamp of their last change. So each hour the newest ids are asked for (an offline till that came back
gets new ids for old sales) and the z-reports that were added since; each night the orders that were open, and the last
days once more; each week many days once more. A poll loads nothing: it names the dates of which something differs, and
they are loaded again from Sitoo to the targets, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import duckdb

from sitoo_pipeline.assets.extract import HINTS, dated
from sitoo_pipeline.assets.extract_visitors import late_visitors
from sitoo_pipeline.assets.fetching import Fetcher
from sitoo_pipeline.assets.landing import fetch_folder, remove
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.windows import CLOCK_SKEW, pieces_of
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sitoo import RESOURCES, Landed, Window, land
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.tables import Table, raw
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.transforms import Places, date_in_zone
from sitoo_pipeline.warehouse import Found, differences, last_asked, loaded_dates, loaded_up_to, polled_up_to

_OPEN = """
    SELECT order_id FROM core.orders
    WHERE order_type_id = 10 AND business_date >= ?
        AND order_state_id IS DISTINCT FROM 20 AND order_state_id IS DISTINCT FROM -1
        AND (order_state_id = 0 OR payment_state_id IS DISTINCT FROM 20)
    ORDER BY order_id
"""


@dataclass(frozen=True)
class Poll:
    """One way of asking what came late or changed: ``find`` gets the present instant and changes nothing.

    ``tables`` are those whose dates it compares; ``every`` is how often it is made.
    """

    name: str
    every: str
    description: str
    tables: tuple[Table, ...]
    find: Callable[[Runtime, datetime], Found]


def _today(runtime: Runtime, at: datetime) -> date:
    return date_in_zone(at, runtime.account.timezone)


def _known(runtime: Runtime, con: duckdb.DuckDBPyConnection, table: RawTable) -> set[date]:
    """The dates to look at: loaded, and not before the account's start, which the settings may have moved since."""
    return {day for day in loaded_dates(con, table) if day >= runtime.account.start_date}


def _new_orders(runtime: Runtime, at: datetime) -> Found:
    """Orders with new ids. Today is found too where it has never been loaded, so that it is there within the hour."""
    found, today = _tail(runtime, "new_orders", raw.ORDERS, at), _today(runtime, at)
    with runtime.warehouse.connect() as con:
        is_there = today in loaded_dates(con, raw.ORDERS)
    return found if is_there else replace(found, dates=found.dates | {today})


def _new_transactions(runtime: Runtime, at: datetime) -> Found:
    return _tail(runtime, "new_transactions", raw.WAREHOUSE_TRANSACTIONS, at)


def _tail(runtime: Runtime, poll: str, table: RawTable, at: datetime) -> Found:
    """Objects above the watermark, and a margin below it in case ids do not become visible in their order."""
    with runtime.warehouse.connect() as con:
        known = _known(runtime, con, table)
        since = polled_up_to(con, poll, [table])
        since = loaded_up_to(con, table, "newest_id") if since is None else since
    if since is None:
        return Found()
    cursor = RESOURCES[table.name].cursor
    asked_from = max(0, since - runtime.account.late_ids_margin)
    found = _compare(runtime, table, at, asked={f"{cursor}from": asked_from}, among=known | {_today(runtime, at)})
    return replace(found, asked_from=asked_from, watermark=max(since, found.watermark or 0))


def _late_z_reports(runtime: Runtime, at: datetime) -> Found:
    """Z-reports that reached Sitoo since, whenever they were closed."""
    with runtime.warehouse.connect() as con:
        known = _known(runtime, con, raw.Z_REPORTS)
        since = polled_up_to(con, "late_z_reports", [raw.Z_REPORTS])
        if since is None and (loaded := loaded_up_to(con, raw.Z_REPORTS, "started_at")) is not None:
            since = max(0, loaded - int(CLOCK_SKEW.total_seconds()))
    if since is None:
        return Found()
    span = Window(start=datetime.fromtimestamp(since, UTC), end=None)
    found = _compare(runtime, raw.Z_REPORTS, at, span=span, among=known)
    return replace(found, asked_from=since, watermark=max(since, found.watermark or 0))


def _open_orders(runtime: Runtime, at: datetime) -> Found:
    """Orders that were open or unpaid when they were last read, by their ids, until they close or are too old."""
    since = at.date() - timedelta(days=runtime.account.open_orders_max_age_days)
    with runtime.warehouse.connect() as con:
        known = _known(runtime, con, raw.ORDERS)
        numbers = [row[0] for row in con.execute(_OPEN, [since]).fetchall()]
    if not numbers:
        return Found()
    return replace(_compare(runtime, raw.ORDERS, at, asked={"orderid": numbers}, among=known), watermark=None)


def _recent_days(runtime: Runtime, at: datetime) -> Found:
    """Also the dates, however old, that were last asked for before they were over: nobody has seen their evening."""
    found = _whole_days(runtime, at, runtime.account.reread_days)
    early: set[date] = set()
    with runtime.warehouse.connect() as con:
        for table in raw.DATED:
            known = _known(runtime, con, table)
            asked = last_asked(con, table)
            early |= {day for day in known if asked[day] < runtime.over_at(day) <= at}
    return replace(found, dates=found.dates | early)


def _many_days(runtime: Runtime, at: datetime) -> Found:
    return _whole_days(runtime, at, runtime.account.deep_reread_days)


def _whole_days(runtime: Runtime, at: datetime, days: int) -> Found:
    """Everything of the last ``days`` before today, as far as they are loaded."""
    last = _today(runtime, at)
    asked = {last - timedelta(days=back) for back in range(1, days + 1)}
    parts: list[Found] = []
    for table in raw.DATED:
        with runtime.warehouse.connect() as con:
            known = _known(runtime, con, table)
        with Fetcher(runtime, table, pieces_of(runtime, table, asked & known), asks_newest=False) as fetcher:
            for dates in fetcher.pieces():
                fetched = fetcher.take(dates)
                parts.append(_found(runtime, table, fetched.landed, fetched.places, among=dates, whole=dates))
    return _together(parts)


def _together(parts: Iterable[Found]) -> Found:
    found = Found()
    for part in parts:
        found = Found(
            dates=found.dates | part.dates,
            records=found.records + part.records,
            requests=found.requests + part.requests,
        )
    return found


def _compare(
    runtime: Runtime,
    table: RawTable,
    at: datetime,
    *,
    asked: Params | None = None,
    span: Window | None = None,
    among: Collection[date],
) -> Found:
    """Fetch, and compare with what is loaded of the dates ``among``."""
    resource = RESOURCES[table.name]
    folder = fetch_folder(runtime.account.landing_folder, table.name, "poll", at)
    with runtime.warehouse.connect() as con:
        places, scope = runtime.places(con), runtime.scope(con)
    with runtime.sitoo() as client:
        landed = land(client=client, resource=resource, folder=folder, window=span, scope=scope, extra_params=asked)
    return _found(runtime, table, landed, places, among=among)


def _found(
    runtime: Runtime,
    table: RawTable,
    landed: Landed,
    places: Places,
    *,
    among: Collection[date],
    whole: Collection[date] = (),
) -> Found:
    """What differs from what is loaded of the dates ``among``, of which ``whole`` were fetched completely."""
    try:
        found = differences(
            runtime.warehouse,
            table,
            landed.files,
            layout=landed.layout,
            landing=runtime.account.landing_folder,
            hints=HINTS[table.name],
            dating=lambda hints: dated(table, hints, places),
            mark=RESOURCES[table.name].cursor,
            whole=whole,
        )
    finally:
        # The dates found are fetched whole, so that these bodies are not needed again.
        remove(landed.folder)
    return Found(
        dates=found.dates & frozenset(among), watermark=found.highest, records=landed.records, requests=landed.requests
    )


POLLS = (
    Poll(
        "new_orders",
        "hour",
        "Orders with new ids: today's sales, and old ones of tills that were offline.",
        (raw.ORDERS,),
        _new_orders,
    ),
    Poll(
        "new_transactions",
        "hour",
        "Warehouse transactions with new ids.",
        (raw.WAREHOUSE_TRANSACTIONS,),
        _new_transactions,
    ),
    Poll(
        "late_z_reports",
        "hour",
        "Z-reports that reached Sitoo since the last poll, whenever they were closed.",
        (raw.Z_REPORTS,),
        _late_z_reports,
    ),
    Poll(
        "open_orders",
        "night",
        "Orders that were open or unpaid when they were last read, by their ids.",
        (raw.ORDERS,),
        _open_orders,
    ),
    Poll(
        "recent_days",
        "night",
        "The last days once more (setting reread_days), and days that were read before they were over.",
        raw.DATED,
        _recent_days,
    ),
    Poll(
        "many_days",
        "week",
        "Many days once more (setting deep_reread_days), for what changed after the nightly polls.",
        raw.DATED,
        _many_days,
    ),
)
"""In the order in which they are made; those of every account."""

_LATE_VISITORS = Poll(
    "late_visitors",
    "hour",
    "Visitors of the last days (setting reread_days) that were counted since, or otherwise than before.",
    (raw.VISITORS,),
    late_visitors,
)


def polls_of(account: Account) -> tuple[Poll, ...]:
    """The polls of an account: that for visitors only where it has a source of them."""
    return (*POLLS, _LATE_VISITORS) if account.visitors else POLLS
