"""Counters at the doors of the stores, as custom metrics of Sitoo's dashboard: more come in than buy.

One store has no counter. What of the metrics' answers is documented and what is guessed: ``docs/sitoo-api.md``.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sitoo_pipeline.sandbox.queries import BadRequestError, Query
from sitoo_pipeline.sandbox.stores import Store

if TYPE_CHECKING:
    from sitoo_pipeline.sandbox.chain import Chain

BY_HOUR, BY_DAY = "cm_visitors", "cm_visitors_per_day"
"""The same visitors as a series of the hours of a day, and as one number for it."""

MOST_DAYS = 100
_WITHOUT_COUNTER = 2
_METRICS: tuple[dict[str, object], ...] = (
    {"key": BY_HOUR, "grouping": "date_store", "type": "series", "format": "integer"},
    {"key": BY_DAY, "grouping": "date_store", "type": "scalar", "format": "integer"},
)


def list_metrics(query: Query) -> list[dict[str, object]]:
    """The metrics that are asked for, all of them where none is named."""
    keys = query.texts("keys")
    return [metric for metric in _METRICS if keys is None or metric["key"] in keys]


def list_values(chain: Chain, query: Query, *, now: int) -> list[dict[str, object]]:
    """The values of the metrics, dates and store that are asked for, as far as anybody has come in at ``now``.

    Raises:
        BadRequestError: a date or number of days that nothing can be asked for.
    """
    days = list(_dates(chain, query, now))
    store_ids = query.texts("store_id")
    stores = [store for store in chain.store_list if store_ids is None or store.externalid in store_ids]
    found: list[dict[str, object]] = []
    for metric in list_metrics(query):
        for day in days:
            for store in stores:
                hours = visitors_of(chain, store, day, now=now)
                if hours:
                    value = _series(hours) if metric["type"] == "series" else {"value_scalar": sum(hours.values())}
                    said = {"key": metric["key"], "date": day.isoformat(), "store_id": store.externalid}
                    found.append({**said, **value})
    return found


def visitors_of(chain: Chain, store: Store, day: date, *, now: int) -> dict[int, int]:
    """Who came into ``store`` in each local hour of ``day`` that is over, of those in which it was open."""
    if store.storeid == _WITHOUT_COUNTER or day < chain.opened:
        return {}
    bought: Counter[int] = Counter()
    # A trading day goes on after midnight, so a date has the night of the one before it.
    for trading in (day - timedelta(days=1), day):
        for till in chain.tills:
            if trading < chain.opened or till.is_web or till.store(trading).storeid != store.storeid:
                continue
            for sale in chain.orders.made_on(till, trading):
                local = datetime.fromtimestamp(sale.ordered_at, store.zone)
                if local.date() == day and sale.ordered_at // 3600 < now // 3600:
                    bought[local.hour] += 1
    if not bought:
        return {}
    rng = random.Random(f"{chain.seed}/visitors/{store.storeid}/{day}")  # noqa: S311 -- repeatable, not secret
    busy = [(rng.uniform(2.5, 5.0), rng.randrange(5)) for _ in range(24)]
    opens, closes = store.hours(day) or (0, 0)
    hours = [hour for hour in range(max(bought) + 1) if bought[hour] or opens <= hour * 60 < closes]
    return {hour: round(bought[hour] * busy[hour][0]) + busy[hour][1] for hour in hours}


def _series(hours: dict[int, int]) -> dict[str, object]:
    series = [{"label": f"{hour:02}", "value": value} for hour, value in hours.items()]
    return {"value_series": {"total_count": len(series), "total_value": sum(hours.values()), "series": series}}


def _dates(chain: Chain, query: Query, now: int) -> Iterator[date]:
    """The dates that are asked for and have come; every one since the chain opened where no date is named."""
    today = datetime.fromtimestamp(now, chain.zone).date() + timedelta(days=1)  # somewhere it is tomorrow already
    first, number = query.text("date"), query.integer("num_days")
    number = 1 if number is None else number
    if not 1 <= number <= MOST_DAYS:
        raise BadRequestError("Invalid value in num_days")
    if first is None:
        start, end = chain.opened, today
    else:
        try:
            start = date.fromisoformat(first)
        except ValueError:
            raise BadRequestError("Invalid value in date") from None
        end = min(start + timedelta(days=number - 1), today)
    while start <= end:
        yield start
        start += timedelta(days=1)
